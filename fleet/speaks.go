package fleet

import "time"

// speaks is a protocol of devices. Its functions run in the loop of a shard.
type speaks interface {
	open(s *shard, i int32, now int64)                                 // the transport is there
	take(s *shard, i int32, b []byte, now int64) (used int)            // bytes came
	post(s *shard, i int32, p *post, m pending, now int64) (sent bool) // sends a message, if there is room for it
	idle(s *shard, i int32, now int64) (next time.Duration)            // keeps the connection alive; when to look again
	close(s *shard, i int32) (heard bool)                              // says goodbye; whether the other side then ends the connection
	opens() string                                                     // with what it begins, in a word
}
