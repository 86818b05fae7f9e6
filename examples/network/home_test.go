//go:build peers

package network

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/mdns"
)

// avahi tells the home network of a service. It is not installed, and has its configuration in its own /etc.
const avahi = ask + watching + `echo avahi:x:65000:65000::/:/bin/false >>/etc/passwd; echo avahi:x:65000: >>/etc/group; mkdir -p /etc/avahi/services; cp http.service /etc/avahi/services; cp avahi-daemon.conf /etc/avahi
	: >said; avahi-daemon --no-drop-root --no-chroot --no-rlimits >said 2>&1 & daemon=$!
	says 1 'successfully established'; order announcement; kill $daemon; order goodbye; wait $daemon
	grep -oE 'Server startup complete.*|Service .* successfully established|Failed.*' said`

var homePeers = []peer{
	{name: "avahi", script: avahi, arrange: both(listens, awaited("announcement", "goodbye"))},
}

// listens has an observer in the home network, and configures avahi.
func listens(t *testing.T, b *testbed.Bed, dir string) {
	l := b.World.Home().Station("observer")
	mdns.Watch(l, mdns.Options{Clock: b.Clock, Log: b.Log})
	for name, text := range map[string]string{
		"avahi-daemon.conf": "[server]\nhost-name=lamp\nuse-ipv6=no\nenable-dbus=no\n[wide-area]\nenable-wide-area=no\n",
		"http.service": `<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd"><service-group><name>Garden lamp</name>` +
			`<service><type>_http._tcp</type><port>80</port></service></service-group>`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.TrimSpace(text)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
