package upnp

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/link/join"
)

// upnpc runs miniupnpc's client in the home network, with an address of its own there, and returns what it prints. The words are those
// of a shell.
func (h *home) upnpc(script string) string {
	h.t.Helper()
	place := join.Place{Link: h.w.Home().Station("upnpc"), Addresses: []netip.Prefix{h.w.Home().Address()}, Routers: []netip.Addr{h.w.Home().Router.LAN().Addr()}}
	out, err := os.CreateTemp(h.t.TempDir(), "upnpc")
	if err != nil {
		h.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("/bin/sh", "-c", "me="+place.Addresses[0].Addr().String()+"; "+script)
	cmd.Stdout, cmd.Stderr = out, out
	program, err := place.Prepare(cmd)
	if err != nil {
		h.t.Fatal(err)
	}
	defer program.Close()
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	if err := program.Enter(); err != nil {
		h.t.Fatal(err)
	}
	_ = cmd.Wait() // what it printed is judged
	text, err := os.ReadFile(out.Name())
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// A client that most programs link finds the gateway, opens a port, sees it and closes it.
func TestUpnpc(t *testing.T) {
	if _, err := exec.LookPath("upnpc"); err != nil {
		t.Skip("NOT RUN: upnpc is not installed (Debian: miniupnpc)")
	}
	if err := join.Available(); err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	t.Parallel()
	h := newHome(t, 1)
	h.w.Readdress(h.w.Home(), netip.MustParseAddr("11.22.33.44")) // it takes no gateway with a reserved address for a connected one
	text := h.upnpc("upnpc -a $me 8443 8443 TCP 3600; upnpc -n $me 22 8443 TCP; upnpc -d 8443 TCP")
	for _, want := range []string{
		"Found valid IGD", "ExternalIPAddress = " + h.w.Home().Router.WAN().String(), "is redirected to internal", "UPNP_DeletePortMapping() returned : 0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("upnpc does not say %q", want)
		}
	}
	if left := h.g.Mappings(); len(left) != 1 || left[0].Client.Port() != 22 { // that of AddAnyPortMapping, which took the next port
		t.Errorf("left open: %+v", left)
	}
	if t.Failed() {
		t.Logf("upnpc said:\n%s", text)
	}
}
