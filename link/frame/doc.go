// Package frame is a link at packet level: Ethernet frames between two ends, each way impaired by itself.
//
// A Link has a near end, at the part under test, and a far end, at the world. What goes from near to far goes Up, the other way Down.
// A frame that nothing delays is handed over in the sender's goroutine, so an idle link costs nearly nothing. Frames that are delayed go
// through one ordered queue for each way, because one timer for each frame reorders them and ruins TCP.
//
// Each impairment is one method in one file. It returns its undo, which may be called any number of times, and logs an Impair and a
// Heal event. When two of one sort overlap, the later one counts until it is undone. Healing is immediate: what waits or is on its way
// when a Latency or a Rate is undone comes as early as if it had never been, still in order. All durations and rates are device time;
// all chance comes from the seed of the link, and what is lost does not depend on timing: the same frames with the same seed have the
// same losses.
//
// The order in which a frame meets them: carrier (Outage), Blackhole, Filter, Bursts and Loss, MTU, Corrupt, Duplicate, Rate with its
// queue, Latency, Reorder. Radio effects such as interference are modelled as what they do to frames: bursts of loss, retries as
// jitter, a share of the air time as rate.
package frame
