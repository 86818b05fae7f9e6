// Package link joins a part under test to a stand-in, watches what passes and impairs it.
//
// A Stream is a link at TCP level: the kernel speaks TCP with the part, the stand-in gets connections from Accept. What can be done
// to it is therefore what a stream can show: a closed port, a FIN, a RST, silence, small segments, a low rate. Two things it cannot
// do: leave a SYN unanswered and leave bytes unacknowledged, because the kernel does both by itself.
//
// Each impairment is one method in one file. It returns its undo, which may be called any number of times, and logs an Impair and a
// Heal event. When two of one sort overlap, the later one counts until it is undone.
package link
