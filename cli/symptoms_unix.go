//go:build unix

package cli

import (
	"fmt"
	"syscall"
)

// openFiles looks how many connections this process may have.
func openFiles() symptom {
	const enough = 4096 // for 2,000 connections of a load check, both ends
	s := symptom{What: "open files", For: "many checks at once, and devices that open thousands of connections", Fix: fmt.Sprintf("ulimit -n %d", enough)}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		s.Seen = err.Error()
		return s
	}
	s.OK, s.Seen = limit.Cur >= enough, fmt.Sprintf("%d are allowed", limit.Cur)
	return s
}
