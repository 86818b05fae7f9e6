package device

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/mdns"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// household is a rig whose device is in a home network, with a neighbour and a router that opens ports.
type homeRig struct {
	*rig
	host      *internet.Host
	neighbour *mdns.Responder
	mine      netip.Addr // of the neighbour
	igd       *upnp.Gateway
}

func newHomeRig(t *testing.T, defects ...string) *homeRig {
	t.Helper()
	r := newRig(t, mqtt.V5, defects...)
	w, err := internet.Open(internet.Config{Clock: r.clk, Log: r.log, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	h := &homeRig{rig: r}
	if h.host, _, err = w.Home().Host("device"); err != nil {
		t.Fatal(err)
	}
	n, _, err := w.Home().Host("neighbour")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := n.ListenMulticast(mdns.Group, mdns.TTL)
	if err != nil {
		t.Fatal(err)
	}
	h.mine = n.Addresses()[0].Addr()
	h.neighbour = mdns.Serve(conn, mdns.Options{Clock: r.clk, Log: r.log})
	t.Cleanup(h.neighbour.Close)
	mdns.Watch(w.Home().Station("observer"), mdns.Options{Clock: r.clk, Log: r.log}, h.mine)
	if h.igd, err = upnp.Open(upnp.Options{Router: w.Home().Router, Clock: r.clk, Log: r.log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.igd.Close)
	r.cfg.Home = h.host
	broker := r.cfg.Dial
	r.cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasSuffix(addr, ":1883") {
			return broker(ctx, network, addr)
		}
		return h.host.DialContext(ctx, network, addr)
	}
	return h
}

// said waits for a packet of the device that is of a sort and about a name.
func (h *homeRig) said(mark int, sort mdns.Sort, name string) *mdns.Packet {
	h.t.Helper()
	return h.await(mark, string(sort)+" of "+name, func(e evidence.Event) bool {
		p, ok := e.Data.(*mdns.Packet)
		return ok && e.Kind == evidence.In && p.Sort == sort && p.Names(name)
	}).Data.(*mdns.Packet)
}

func TestDeviceTellsItsHomeOfItself(t *testing.T) {
	h := newHomeRig(t)
	_, stop := h.start()
	for range 3 {
		if p := h.said(0, mdns.Probe, "thermostat-t1.local."); p.IPTTL != mdns.TTL || len(p.Proposed) == 0 {
			t.Errorf("probe: %+v", p)
		}
	}
	p := h.said(0, mdns.Announcement, service)
	if a := p.Holds("thermostat-t1.local.", "A"); a == nil || !a.Flush || a.TTL != 120 || a.Address != h.host.Addresses()[0].Addr() {
		t.Errorf("announced address: %+v", a)
	}
	if ptr := p.Holds(service, "PTR"); ptr == nil || ptr.Flush {
		t.Errorf("announced service: %+v", ptr)
	}
	if srv := p.Holds("thermostat-t1."+service, "SRV"); srv == nil || srv.Port != localPort {
		t.Errorf("announced port: %+v", srv)
	}
	h.published(0, "thermostat/t1/local", `"port":8443`)
	mark := h.log.Len()
	h.neighbour.Ask(service, dns.TypePTR)
	h.said(mark, mdns.Answer, service)

	_ = h.clk.Sleep(t.Context(), 10*time.Second) // what is said soon after a question counts as its answer
	mark = h.log.Len()
	was := h.host.Addresses()[0]
	now := netip.PrefixFrom(netip.MustParseAddr("192.168.1.77"), 24)
	if err := h.host.Remove(was); err != nil {
		t.Fatal(err)
	}
	if err := h.host.Add(now); err != nil {
		t.Fatal(err)
	}
	if a := h.said(mark, mdns.Announcement, "thermostat-t1.local.").Holds("thermostat-t1.local.", "A"); a == nil || a.Address != now.Addr() {
		t.Errorf("after a change: %+v", a)
	}
	mark = h.log.Len()
	stop()
	h.said(mark, mdns.Goodbye, "thermostat-t1."+service)
}

func TestDeviceTakesAnotherName(t *testing.T) {
	h := newHomeRig(t)
	h.neighbour.Claim("thermostat-t1.local.", h.mine)
	h.start()
	h.said(0, mdns.Announcement, "thermostat-t1-2.local.")
	mark := h.log.Len()
	h.neighbour.Claim("thermostat-t1-2.local.", h.mine) // while it is in use
	h.said(mark, mdns.Announcement, "thermostat-t1-3.local.")
}

// remote switches the way from outside on or off.
func (h *homeRig) remote(id string, on bool) {
	h.t.Helper()
	mark := h.log.Len()
	word := "false"
	if on {
		word = "true"
	}
	h.command(`{"id":"` + id + `","remote":` + word + `}`)
	h.published(mark, "thermostat/t1/event", id)
}

// open waits until so many ports of the router are open and returns them.
func (h *homeRig) open(n int) []upnp.Mapping {
	h.t.Helper()
	for range 200 {
		if all := h.igd.Mappings(); len(all) == n {
			return all
		}
		_ = h.clk.Sleep(h.t.Context(), 2*time.Second)
	}
	h.t.Fatalf("open are %+v, want %d", h.igd.Mappings(), n)
	return nil
}

func TestDeviceOpensAPort(t *testing.T) {
	for name, b := range map[string]upnp.Behaviour{
		"friendly": {}, "version 1": {Version1: true}, "permanent only": {PermanentOnly: true}, "another port": {Shift: 1000},
		"another port, and says nothing": {Version1: true, Shift: 1000}, "slow": {Slow: time.Second}, "zeroed": {Lease: upnp.Zeroed},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHomeRig(t)
			h.igd.Set(func(o *upnp.Behaviour) { *o = b })
			h.start()
			h.subscribed(0)
			if all := h.igd.Mappings(); len(all) != 0 {
				t.Errorf("open without a wish: %+v", all)
			}
			h.remote("c1", true)
			m := h.open(1)[0]
			if int(m.External) != localPort+b.Shift || m.Client.Port() != localPort {
				t.Errorf("open: %+v", m)
			}
			h.published(0, "thermostat/t1/local", `"outside":"198.51.100.10:`)
			h.remote("c2", false)
			h.open(0)
		})
	}
}

func TestDeviceWorksWithoutARouterThatOpensPorts(t *testing.T) {
	for name, b := range map[string]upnp.Behaviour{
		"absent": {Absent: true}, "refuses": {Refuse: upnp.ActionFailed}, "conflicts": {Refuse: upnp.Conflict}, "garbage": {Garbage: true},
		"elsewhere": {Location: "http://192.168.1.1:9/x"}, "foreign": {Location: "http://203.0.113.10:5000/description.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHomeRig(t)
			h.igd.Set(func(o *upnp.Behaviour) { *o = b })
			h.start()
			h.subscribed(0)
			h.remote("c1", true)
			h.console(0, "no port of the router is open")
			h.remote("c2", false)
		})
	}
}

func TestDeviceRenewsItsPort(t *testing.T) {
	t.Parallel()
	h := newHomeRig(t)
	h.start()
	h.subscribed(0)
	h.remote("c1", true)
	h.open(1)
	_ = h.clk.Sleep(t.Context(), 3*mapLease)
	h.open(1)
	h.igd.Forget()
	h.open(1)
}

func TestDeviceHasAPageInItsHome(t *testing.T) {
	h := newHomeRig(t)
	_, stop := h.start()
	defer stop()
	client := &http.Client{Transport: &http.Transport{DialContext: h.host.DialContext, DisableKeepAlives: true}, Timeout: 5 * time.Second}
	var body []byte
	for range 50 { // until it listens
		res, err := client.Get("http://" + h.host.Addresses()[0].Addr().String() + "/")
		if err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		body, err = io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("status %d, %v", res.StatusCode, err)
		}
		break
	}
	if !strings.HasSuffix(pageText, "\r\n\r\n"+string(body)) || len(body) == 0 {
		t.Errorf("it serves %q", body)
	}
}
