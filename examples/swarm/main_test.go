// Package swarm holds what a fleet is made of against real servers.
package swarm

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "32") // most of them wait most of the time
	goleak.VerifyTestMain(m)
}

// needsPeers skips a test where the programs are not wanted.
func needsPeers(t testing.TB) {
	t.Helper()
	if os.Getenv("SHAKEDOWN_PEERS") == "" {
		t.Skip("NOT RUN: it takes real programs. make test installs them and runs this; SHAKEDOWN_PEERS=1 runs it when they are there")
	}
}
