//go:build !linux

package fleet

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// eventLoops says whether this system has them; without, every connection has goroutines.
const eventLoops = false

var errNoLoop = errors.New("this system has no event loop")

// errAgain is never returned here.
var errAgain = errors.New("again")

// poll waits until it is woken: there are no sockets to wait for.
type poll struct{ bell chan struct{} }

type ready struct {
	owner, turn int32
	in, out     bool
}

func newPoll() (*poll, error) { return &poll{make(chan struct{}, 1)}, nil }

func (p *poll) close()                                       {}
func (p *poll) own()                                         {}
func (p *poll) add(fd, owner, turn int32, out bool) error    { return errNoLoop }
func (p *poll) change(fd, owner, turn int32, out bool) error { return errNoLoop }
func (p *poll) remove(fd int32)                              {}

func (p *poll) wait(d time.Duration, _ func(ready)) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.bell:
	case <-t.C:
	}
	return nil
}

func (p *poll) wake() {
	select {
	case p.bell <- struct{}{}:
	default:
	}
}

func dial(netip.AddrPort, netip.Addr, bool) (int32, error) { return -1, errNoLoop }
func dialled(int32) error                                  { return errNoLoop }
func read(int32, []byte) (int, error)                      { return 0, errNoLoop }
func write(int32, []byte) (int, error)                     { return 0, errNoLoop }
func shut(int32, bool)                                     {}
func lend(int32) func() (net.Conn, error) {
	return func() (net.Conn, error) { return nil, errNoLoop }
}
