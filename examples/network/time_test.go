package network

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/ntp"
)

const (
	// -Q says how wrong the clock is, and leaves it alone; the namespace could not set it anyway.
	chronyd = `chronyd -Q -t 6 -u root 'server pool.ntp.org iburst maxsamples 2' 'pidfile '$PWD/pid 2>&1 | grep -v version`
	rdate   = `timeout 6 rdate -n -p -v pool.ntp.org 2>&1 | grep -v ^[A-Z]`
)

var timePeers = []peer{
	{name: "chronyd", script: chronyd},
	{name: "chronyd-hour", script: chronyd, arrange: times(ntp.Offset(time.Hour))},
	{name: "chronyd-silence", script: chronyd, arrange: times(ntp.Silent())},
	{name: "chronyd-kiss", script: chronyd, arrange: times(ntp.Kiss("RATE"))},
	{name: "rdate", script: rdate},
	{name: "rdate-hour", script: rdate, arrange: times(ntp.Offset(time.Hour))},
}

func times(how ntp.Behaviour) arrange {
	return func(_ *testing.T, b *testbed.Bed, _ string) { b.Impair(b.NTP.Do(how)) }
}
