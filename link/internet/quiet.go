package internet

import (
	"io"

	"gvisor.dev/gvisor/pkg/log"
)

// The IP stack writes what it thinks of packets to standard error. What comes over a network under test is no message to the user.
func init() { log.SetTarget(&log.Writer{Next: io.Discard}) }
