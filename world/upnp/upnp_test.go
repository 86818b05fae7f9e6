package upnp

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// home is a network with a gateway, and a client in it.
type home struct {
	t    *testing.T
	w    *internet.World
	g    *Gateway
	log  *evidence.Log
	host *internet.Host
	addr netip.Addr
	http *http.Client
}

func newHome(t *testing.T, speed float64) *home {
	t.Helper()
	clk := clock.New(speed)
	log := evidence.NewLog(clk.Now, nil, false)
	w, err := internet.Open(internet.Config{Clock: clk, Log: log, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	h, _, err := w.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(Options{Router: w.Home().Router, Clock: clk, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	client := &http.Client{Transport: &http.Transport{DialContext: h.DialContext}, Timeout: 5 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	return &home{t: t, w: w, g: g, log: log, host: h, addr: h.Addresses()[0].Addr(), http: client}
}

// search sends an M-SEARCH and returns the LOCATION of the answer, or nothing after a while.
func (h *home) search(target string) string {
	h.t.Helper()
	c, err := h.host.ListenPacket(netip.AddrPortFrom(h.addr, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	m := "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + target + "\r\n\r\n"
	if _, err := c.WriteTo([]byte(m), net.UDPAddrFromAddrPort(Group)); err != nil {
		h.t.Fatal(err)
	}
	buf := make([]byte, 2048)
	c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	n, _, err := c.ReadFrom(buf)
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(buf[:n]), "\r\n") {
		if at, ok := strings.CutPrefix(line, "LOCATION: "); ok {
			return at
		}
	}
	return ""
}

// call carries an action out and returns the UPnP error and the body of the answer.
func (h *home) call(action string, args ...string) (int, string) {
	h.t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:%s xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:2">`, action)
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		fmt.Fprintf(&b, "<%s>%s</%s>", name, value, name)
	}
	fmt.Fprintf(&b, "</u:%s></s:Body></s:Envelope>", action)
	r, err := h.http.Post(fmt.Sprintf("http://%s/control/connection", netip.AddrPortFrom(h.w.Home().Router.LAN().Addr(), Port)), "text/xml", &b)
	if err != nil {
		h.t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	code := 0
	if m := regexp.MustCompile("<errorCode>([0-9]+)<").FindSubmatch(body); m != nil {
		fmt.Sscan(string(m[1]), &code)
	}
	return code, string(body)
}

func (h *home) add(action string, port int, lease int) (int, string) {
	h.t.Helper()
	return h.call(action, "NewRemoteHost=", fmt.Sprintf("NewExternalPort=%d", port), "NewProtocol=TCP", "NewInternalPort=8443",
		"NewInternalClient="+h.addr.String(), "NewEnabled=1", "NewPortMappingDescription=thermostat", fmt.Sprintf("NewLeaseDuration=%d", lease))
}

// reached reports whether a connection from the internet gets through to the device.
func (h *home) reached(port uint16) bool {
	h.t.Helper()
	l, err := h.host.Listen(netip.AddrPortFrom(h.addr, 8443))
	if err != nil {
		h.t.Fatal(err)
	}
	defer l.Close()
	if _, err := h.w.Name("somebody.example"); err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := clock.New(1).Timeout(h.t.Context(), 200*time.Millisecond)
	defer cancel()
	c, err := h.w.Servers.DialContext(ctx, "tcp", netip.AddrPortFrom(h.w.Home().Router.WAN(), port).String())
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func TestDiscovery(t *testing.T) {
	h := newHome(t, 1)
	for _, target := range []string{"ssdp:all", "upnp:rootdevice", "urn:schemas-upnp-org:device:InternetGatewayDevice:1", "urn:schemas-upnp-org:service:WANIPConnection:2"} {
		if at := h.search(target); at != "http://192.168.1.1:5000/description.xml" {
			t.Errorf("%s: LOCATION %q", target, at)
		}
	}
	if at := h.search("urn:schemas-upnp-org:device:MediaServer:1"); at != "" {
		t.Errorf("a media server is at %q", at)
	}
	r, err := h.http.Get(h.search("upnp:rootdevice"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	if !bytes.Contains(body, []byte("<serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType>")) {
		t.Errorf("description: %s", body)
	}
	undo := h.g.Set(func(b *Behaviour) { b.Location = "https://192.0.2.99:49152/other.xml" })
	if at := h.search("upnp:rootdevice"); at != "https://192.0.2.99:49152/other.xml" {
		t.Errorf("another LOCATION: %q", at)
	}
	undo()
	defer h.g.Set(func(b *Behaviour) { b.Absent = true })()
	if at := h.search("upnp:rootdevice"); at != "" {
		t.Errorf("absent, but at %q", at)
	}
}

func TestPortsAreReallyOpen(t *testing.T) {
	h := newHome(t, 1)
	if h.reached(8443) {
		t.Fatal("reached without a mapping")
	}
	if code, body := h.add("AddPortMapping", 8443, 3600); code != 0 || !strings.Contains(body, "AddPortMappingResponse") {
		t.Fatalf("error %d: %s", code, body)
	}
	if !h.reached(8443) {
		t.Error("not reached through its mapping")
	}
	if code, body := h.call("GetSpecificPortMappingEntry", "NewRemoteHost=", "NewExternalPort=8443", "NewProtocol=TCP"); code != 0 || !strings.Contains(body, "<NewInternalClient>"+h.addr.String()) {
		t.Errorf("entry: error %d: %s", code, body)
	}
	if code, body := h.call("GetGenericPortMappingEntry", "NewPortMappingIndex=0"); code != 0 || !strings.Contains(body, "<NewExternalPort>8443<") {
		t.Errorf("entry 0: error %d: %s", code, body)
	}
	if code, _ := h.call("GetGenericPortMappingEntry", "NewPortMappingIndex=1"); code != NoSuchIndex {
		t.Errorf("entry 1: error %d", code)
	}
	if _, body := h.call("GetExternalIPAddress"); !strings.Contains(body, h.w.Home().Router.WAN().String()) {
		t.Errorf("external address: %s", body)
	}
	if code, body := h.add("AddAnyPortMapping", 0, 0); code != 0 || !strings.Contains(body, "<NewReservedPort>1024<") {
		t.Errorf("any port: error %d: %s", code, body)
	}
	if code, _ := h.call("DeletePortMapping", "NewRemoteHost=", "NewExternalPort=8443", "NewProtocol=TCP"); code != 0 {
		t.Errorf("delete: error %d", code)
	}
	if code, _ := h.call("DeletePortMapping", "NewRemoteHost=", "NewExternalPort=8443", "NewProtocol=TCP"); code != NoSuchEntry {
		t.Errorf("delete twice: error %d", code)
	}
	if h.reached(8443) {
		t.Error("reached after the mapping was deleted")
	}
	h.w.Home().Router.Reboot()()
	if left := h.g.Mappings(); len(left) != 0 {
		t.Errorf("after a reboot: %v", left)
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	h := newHome(t, 1)
	for _, c := range []struct {
		want   int
		action string
		args   []string
	}{
		{InvalidAction, "OpenSesame", nil},
		{InvalidArgs, "AddPortMapping", []string{"NewExternalPort=1"}},
		{InvalidArgs, "DeletePortMapping", []string{"NewExternalPort=70000", "NewProtocol=TCP"}},
		{InvalidArgs, "DeletePortMapping", []string{"NewExternalPort=7", "NewProtocol=SCTP"}},
		{NotAuthorized, "AddPortMapping", []string{"NewExternalPort=7", "NewProtocol=TCP", "NewInternalPort=7", "NewInternalClient=192.168.1.99", "NewLeaseDuration=0"}},
		{WildcardPort, "AddPortMapping", []string{"NewExternalPort=0", "NewProtocol=TCP", "NewInternalPort=7", "NewInternalClient=" + h.addr.String(), "NewLeaseDuration=0"}},
	} {
		if code, body := h.call(c.action, c.args...); code != c.want {
			t.Errorf("%s %v: error %d, want %d: %s", c.action, c.args, code, c.want, body)
		}
	}
	for range 2 {
		r, err := h.http.Post("http://192.168.1.1:5000/control/connection", "text/xml", strings.NewReader(strings.Repeat("<a>", 20000)))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("a bomb: status %d", r.StatusCode)
		}
	}
}

func TestBehaviours(t *testing.T) {
	for name, c := range map[string]struct {
		b      Behaviour
		action string
		lease  int
		want   int  // error
		at     int  // port that is open
		until  bool // it ends
	}{
		"friendly":           {Behaviour{}, "AddAnyPortMapping", 100, 0, 8443, true},
		"for ever":           {Behaviour{}, "AddPortMapping", 0, 0, 8443, false},
		"version 1":          {Behaviour{Version1: true}, "AddAnyPortMapping", 100, InvalidAction, 0, false},
		"refuses":            {Behaviour{Refuse: Conflict}, "AddPortMapping", 100, Conflict, 0, false},
		"not authorised":     {Behaviour{Refuse: NotAuthorized}, "AddAnyPortMapping", 100, NotAuthorized, 0, false},
		"permanent only":     {Behaviour{PermanentOnly: true}, "AddPortMapping", 100, OnlyPermanent, 0, false},
		"permanent, and so":  {Behaviour{PermanentOnly: true}, "AddPortMapping", 0, 0, 8443, false},
		"another port":       {Behaviour{Shift: 100}, "AddAnyPortMapping", 100, 0, 8543, true},
		"another, a lie":     {Behaviour{Shift: 100}, "AddPortMapping", 100, 0, 8543, true},
		"lease ignored":      {Behaviour{Lease: Ignored}, "AddPortMapping", 100, 0, 8443, false},
		"lease zeroed":       {Behaviour{Lease: Zeroed}, "AddPortMapping", 100, 0, 8443, false},
		"lease cut":          {Behaviour{Lease: Cut}, "AddPortMapping", 100, 0, 8443, true},
		"slow but all right": {Behaviour{Slow: 100 * time.Millisecond}, "AddPortMapping", 100, 0, 8443, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, 1)
			undo := h.g.Set(func(b *Behaviour) { *b = c.b })
			defer undo()
			code, body := h.add(c.action, 8443, c.lease)
			if code != c.want {
				t.Fatalf("error %d, want %d: %s", code, c.want, body)
			}
			open := h.g.Mappings()
			if c.at == 0 {
				if len(open) != 0 {
					t.Errorf("open: %v", open)
				}
				return
			}
			if len(open) != 1 || int(open[0].External) != c.at || open[0].Until.IsZero() == c.until {
				t.Errorf("open: %+v", open)
			}
			if !h.reached(uint16(c.at)) {
				t.Error("the port is not really open")
			}
		})
	}
	h := newHome(t, 1)
	defer h.g.Set(func(b *Behaviour) { b.Garbage = true })()
	if code, body := h.add("AddPortMapping", 8443, 0); code != 0 || body != garbage {
		t.Errorf("garbage: error %d: %q", code, body)
	}
}

func TestLeaseEnds(t *testing.T) {
	h := newHome(t, 100)
	if code, _ := h.add("AddPortMapping", 8443, 10); code != 0 {
		t.Fatal(code)
	}
	if err := h.g.o.Clock.Sleep(t.Context(), 15*time.Second); err != nil {
		t.Fatal(err)
	}
	if left := h.g.Mappings(); len(left) != 0 {
		t.Errorf("after its lease: %v", left)
	}
}

func FuzzParseAction(f *testing.F) {
	f.Add([]byte(`<s:Envelope xmlns:s="x"><s:Body><u:DeletePortMapping xmlns:u="y"><NewExternalPort>1</NewExternalPort></u:DeletePortMapping></s:Body></s:Envelope>`))
	f.Add([]byte("<Envelope><Body><a><b>&amp;&#x41;</b></a></Body></Envelope>"))
	f.Add([]byte("<!DOCTYPE a [<!ENTITY b \"c\">]><Envelope><Body>&b;<a></a></Body></Envelope>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := newCall(b, "192.168.1.10:4000")
		if err == nil && (len(c.Action) > 64 || len(c.Description) > 128) {
			t.Errorf("unbounded: %+v", c)
		}
	})
}

func FuzzParseSearch(f *testing.F) {
	f.Add([]byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n"))
	f.Add([]byte("NOTIFY * HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseSearch(b); err == nil && (s.Target == "" || len(s.Target) > 256) {
			t.Errorf("target %q", s.Target)
		}
	})
}
