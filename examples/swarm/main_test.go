//go:build peers

// Package swarm holds what a fleet is made of against real servers.
package swarm

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "32") // most of them wait most of the time
	goleak.VerifyTestMain(m)
}
