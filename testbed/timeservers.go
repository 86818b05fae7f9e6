package testbed

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// usualNames are names of time servers that devices are known to be configured with. "ntp" and the like in the domain of the device's own
// cloud come beside them.
var usualNames = []string{
	"pool.ntp.org", "*.pool.ntp.org", "time.google.com", "*.time.google.com", "time.cloudflare.com", "time.apple.com", "time.windows.com",
	"time.nist.gov", "time.aws.com", "ntp.ubuntu.com", "ntp.aliyun.com",
}

// TimeServers are the NTP servers of a world: two, and every usual name of one leads to both of them, the first or the second in front.
type TimeServers struct {
	Servers []*ntp.Server
	Addrs   []netip.Addr // of Servers
}

// Do has every server misbehave until undo.
func (s *TimeServers) Do(b ntp.Behaviour) (undo func()) {
	var undos []func()
	for _, server := range s.Servers {
		undos = append(undos, server.Do(b))
	}
	return func() {
		for _, u := range undos {
			u()
		}
	}
}

// openTime starts the time servers of the world.
func (b *Bed) openTime(host string) error {
	b.NTP = &TimeServers{}
	for i := range 2 {
		name := fmt.Sprintf("ntp server %d", i+1)
		at, err := b.World.Name(name)
		if err != nil {
			return err
		}
		udp, err := b.World.Servers.ListenPacket(netip.AddrPortFrom(at, 123))
		if err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		s := ntp.New(ntp.Options{Part: name, Clock: b.Clock, Log: b.Log, UDP: udp})
		b.Undo(func() { s.Close() })
		b.NTP.Servers, b.NTP.Addrs = append(b.NTP.Servers, s), append(b.NTP.Addrs, at)
	}
	first, second := b.NTP.Addrs[0], b.NTP.Addrs[1]
	for _, name := range usualNames {
		b.DNS.Zone.Set(name, dns.Records{TTL: NameTTL, A: []netip.Addr{first, second}, Rotate: true})
	}
	if _, domain, ok := strings.Cut(host, "."); ok {
		for name, at := range map[string]netip.Addr{"ntp": first, "time": first, "ntp1": first, "ntp2": second} {
			b.DNS.Zone.Set(name+"."+domain, dns.Records{TTL: NameTTL, A: []netip.Addr{at}})
		}
	}
	return nil
}
