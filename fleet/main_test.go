package fleet

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// The tests wait more than they compute, so many run at a time.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16")
	goleak.VerifyTestMain(m)
}
