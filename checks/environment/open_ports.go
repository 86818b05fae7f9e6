package environment

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
)

// OpenPorts scans the device from another station of its home network.
var OpenPorts = &check.Check{
	ID:    "environment.open-ports",
	Title: "Has no ports open in its home network but the declared ones",
	Why: "A console that was left open for the developers is found by the first worm in the house. " +
		"Mirai and its heirs live on exactly that.",
	Pass:         "of the TCP ports 1 to 1023 and 70 others that devices are known to open, a station of its home network finds none open that the product file does not declare (local.open, local.upnp.ports)",
	Fix:          "leave services of development out of the release build; declare under local.open: what is meant",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2j", "EN303645:5.6-1", "EN303645:5.6-2"},
	Rows:         []string{"net.ports"},
	Sources:      []string{"RFC 9293 section 3.10.7.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        10 * time.Minute,
	Run:          openPorts,
}

// highPorts are those above 1023 that devices are known to open.
var highPorts = []uint16{
	1080, 1433, 1720, 1723, 1883, 1900, 2000, 2022, 2049, 2222, 2323, 3000, 3306, 3389, 4000, 4444, 4567, 4840, 5000, 5001, 5060, 5353, 5432, 5540,
	5555, 5683, 5900, 5984, 6053, 6379, 6667, 6668, 7000, 7547, 7681, 8000, 8001, 8008, 8009, 8060, 8080, 8081, 8088, 8090, 8123, 8291, 8443, 8554,
	8728, 8800, 8883, 8888, 9000, 9001, 9090, 9100, 9123, 9200, 9443, 9530, 9999, 10000, 10001, 23023, 32764, 34567, 37215, 37777, 49152, 52869, 55443,
}

func openPorts(ctx context.Context, t *check.T) error {
	at := deviceAddress(t)
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	target, mac := at()
	if !target.IsValid() {
		return check.NotRun("", "it sent nothing from an address of its home network")
	}
	scanner, _, err := t.World.Home().Host("scanner")
	if err != nil {
		return err
	}
	t.Step("scan %s from another station of its home network", target)
	s := &scan{host: scanner, from: netip.AddrPortFrom(scanner.Addresses()[0].Addr(), 40000), to: target, mac: mac}
	if err := s.run(ctx, t); err != nil {
		return err
	}
	there, err := scanner.Probe(ctx, target) // the control for a device that does not say that a port is closed
	if err != nil {
		return err
	}
	open, refused := s.result()
	if len(open)+refused == 0 && !there {
		return check.NotRun("", "%s answered to nothing, not even ARP", target)
	}
	t.Record("open: %v; %d ports said that they are closed, %d said nothing", open, refused, len(s.unanswered()))
	t.Find(judgePorts(open, declaredPorts(t.Device.Part), "in its home network")...)
	return nil
}

// run sends SYNs to all the ports, and again to those without an answer, until a round brings no new one: a lost answer is no closed port.
func (s *scan) run(ctx context.Context, t *check.T) error {
	defer s.host.Tap(s.hear)()
	for round, heard := 0, -1; round < 6 && (round < 2 || heard < s.heard()); round++ {
		heard = s.heard()
		left := s.unanswered()
		for _, port := range left {
			s.syn(port)
		}
		for n := -1; len(left) > 0 && n < s.heard(); { // as long as answers come
			n = s.heard()
			if err := t.Clock.Sleep(ctx, max(2*time.Second, lag(t))); err != nil {
				return err
			}
		}
	}
	return nil
}

// unanswered are the ports of which nothing was heard yet.
func (s *scan) unanswered() (left []uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for port := range uint16(1024) {
		if _, ok := s.answer[port]; !ok && port > 0 {
			left = append(left, port)
		}
	}
	for _, port := range highPorts {
		if _, ok := s.answer[port]; !ok {
			left = append(left, port)
		}
	}
	return left
}

// declaredPorts are the TCP ports that a device opens on purpose.
func declaredPorts(part product.Part) (all []uint16) {
	if part.Local == nil {
		return nil
	}
	for _, p := range part.Local.Open {
		var port uint16
		if _, err := fmt.Sscanf(p, "tcp/%d", &port); err == nil {
			all = append(all, port)
		}
	}
	if part.Local.UPnP != nil {
		for _, p := range part.Local.UPnP.Ports {
			all = append(all, uint16(p))
		}
	}
	return all
}

func judgePorts(open, declared []uint16, where string) (found []check.Finding) {
	for _, port := range open {
		if slices.Contains(declared, port) {
			continue
		}
		found = append(found, check.Finding{
			Title:    fmt.Sprintf("Has TCP port %d open %s", port, where),
			Expected: "no open port but the declared ones" + listed(declared),
			Seen:     fmt.Sprintf("a SYN to port %d was answered with SYN and ACK", port),
		})
	}
	return found
}

func listed(ports []uint16) string {
	if len(ports) == 0 {
		return ": none is declared"
	}
	return ": " + strings.Trim(fmt.Sprint(ports), "[]")
}

// deviceAddress looks at what the device sends, and tells its IPv4 address in its home network and its Ethernet address.
func deviceAddress(t *check.T) func() (netip.Addr, [6]byte) {
	var mu sync.Mutex
	var at netip.Addr
	var mac [6]byte
	watch(t, func(f []byte) {
		if a, ok := source(f); ok && t.World.Home().Router.LAN().Contains(a) {
			mu.Lock()
			defer mu.Unlock()
			at, mac = a, [6]byte(f[6:12])
		}
	})
	return func() (netip.Addr, [6]byte) {
		mu.Lock()
		defer mu.Unlock()
		return at, mac
	}
}

// scan sends SYNs past its host's stack, which resets what is answered.
type scan struct {
	host *internet.Host
	from netip.AddrPort
	to   netip.Addr
	mac  [6]byte

	mu     sync.Mutex
	answer map[uint16]bool // open
}

func (s *scan) syn(port uint16) {
	s.host.Send(internet.SYNFrame(s.host.MAC, s.mac[:], s.from, netip.AddrPortFrom(s.to, port), uint32(port)<<8))
}

func (s *scan) hear(f []byte) {
	const tcp, syn, rst, ack = 6, 0x02, 0x04, 0x10
	at := 54
	if a, ok := source6(f); !ok || a != s.to || f[20] != tcp {
		if a, ok := source(f); !ok || a != s.to || f[23] != tcp {
			return
		}
		at = 14 + int(f[14]&0xf)*4
	}
	if len(f) < at+20 || binary.BigEndian.Uint16(f[at+2:]) != s.from.Port() {
		return
	}
	port, flags := binary.BigEndian.Uint16(f[at:]), f[at+13]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer == nil {
		s.answer = map[uint16]bool{}
	}
	switch {
	case flags&(syn|ack) == syn|ack:
		s.answer[port] = true
	case flags&rst != 0 && !s.answer[port]:
		s.answer[port] = false
	}
}

func (s *scan) heard() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answer)
}

func (s *scan) result() (open []uint16, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for port, is := range s.answer {
		if is {
			open = append(open, port)
		} else {
			refused++
		}
	}
	slices.Sort(open)
	return open, refused
}
