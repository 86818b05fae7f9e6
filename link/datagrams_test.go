package link

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
)

// script is a socket that reads what it is told, then waits to be closed.
type script struct {
	net.PacketConn
	reads chan error
}

func (s script) ReadFrom(b []byte) (int, net.Addr, error) {
	err, ok := <-s.reads
	if !ok {
		return 0, nil, net.ErrClosed
	}
	return copy(b, "datagram"), &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7}, err
}

// TestDatagrams: an error does not end the reading, a closed socket and a context that is done do.
func TestDatagrams(t *testing.T) {
	conn := script{reads: make(chan error, 3)}
	for _, err := range []error{nil, errors.New("connection refused"), nil} {
		conn.reads <- err
	}
	close(conn.reads)
	var got []string
	Datagrams(t.Context(), clock.New(1000), conn, 4, func(data []byte, from net.Addr) {
		got = append(got, string(data)+" from "+AddrPort(from).String())
	})
	if len(got) != 2 || got[0] != "data from 192.0.2.1:7" {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	conn.reads = make(chan error, 1)
	conn.reads <- errors.New("connection refused")
	Datagrams(ctx, clock.New(0.001), conn, 4, func([]byte, net.Addr) { t.Error("a datagram") })
}
