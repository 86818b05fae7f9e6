package fleet

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// The tests wait more than they compute, so many run at a time.
func TestMain(m *testing.M) {
	flag.Parse()
	parallel := "24"
	if testing.Short() { // under the race detector, where time is short
		parallel = "16"
	}
	_ = flag.Set("test.parallel", parallel)
	goleak.VerifyTestMain(m)
}
