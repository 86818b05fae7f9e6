package dns

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server on a port of loopback, UDP and TCP, in wall time.
type rig struct {
	*Server
	zone *Zone
	log  *evidence.Log
	at   string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	clk := clock.New(1)
	r := &rig{zone: NewZone(), log: evidence.NewLog(clk.Now, nil, false)}
	tcp, udp := listen(t)
	r.at = tcp.Addr().String()
	stray, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.Server = New(Options{Part: "dns", Zone: r.zone, Clock: clk, Log: r.log, UDP: udp, TCP: tcp, Stray: stray})
	t.Cleanup(func() { r.Close() })
	return r
}

// listen opens a port that is free for both TCP and UDP.
func listen(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	var err error
	for range 100 {
		tcp, e := net.Listen("tcp", "127.0.0.1:0")
		if e != nil {
			t.Fatal(e)
		}
		var udp net.PacketConn
		if udp, err = net.ListenPacket("udp", tcp.Addr().String()); err == nil {
			return tcp, udp
		}
		tcp.Close()
	}
	t.Fatalf("no port is free for UDP too: %v", err)
	return nil, nil
}

// resolver is Go's own, asking only this server.
func (r *rig) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, r.at)
	}}
}

// look asks Go's resolver for the addresses of a name.
func (r *rig) look(t *testing.T, network, name string) ([]netip.Addr, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	all, err := r.resolver().LookupNetIP(ctx, network, name+".")
	for i := range all {
		all[i] = all[i].Unmap()
	}
	return all, err
}

func (r *rig) queries() (all []Query) {
	for _, e := range r.log.Since(0) {
		if q, ok := Asked(e); ok {
			all = append(all, q)
		}
	}
	return all
}

func addrs(texts ...string) (all []netip.Addr) {
	for _, s := range texts {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}
