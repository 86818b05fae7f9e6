package testbed

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/portal"
)

// Surroundings are a network profile in force: the figures of its link, and what stands between the home network and the internet.
type Surroundings struct {
	Portal *portal.Portal // nil: none
	Proxy  *CompanyProxy  // nil: none

	bed     *Bed
	profile profile.Profile
	undos   []func()

	mu    sync.Mutex
	shut  int // how often the portal was shut
	opens time.Time
	open  func()
	timer *time.Timer
}

// Enter puts a profile in force until Leave, or until the bed is closed. Access is the link of who is to live in it. A portal is open at
// first.
func (b *Bed) Enter(p profile.Profile, access *frame.Link) (*Surroundings, error) {
	s := &Surroundings{bed: b, profile: p, open: func() {}}
	var err error
	switch {
	case p.Portal != nil:
		err = s.capture(*p.Portal)
	case p.Proxy != nil:
		err = s.fence(*p.Proxy)
	}
	if err != nil {
		s.Leave()
		return nil, fmt.Errorf("enter network %s: %w", p.Name, err)
	}
	on := access
	if p.Link == profile.Uplink {
		on = b.World.Home().Uplink
	}
	s.undos = append(s.undos, p.Apply(on, b.Clock))
	b.Undo(s.Leave)
	return s, nil
}

// Leave ends the profile. It may be called more than once.
func (s *Surroundings) Leave() {
	s.Open()
	s.mu.Lock()
	undos := s.undos
	s.undos = nil
	s.mu.Unlock()
	for i := len(undos) - 1; i >= 0; i-- {
		undos[i]()
	}
}

// capture puts a captive portal in the way. What the network's own router says, such as the leases of its DHCP server, is not captured.
func (s *Surroundings) capture(p profile.Portal) error {
	b := s.bed
	address, err := b.World.Name("captive portal")
	if err != nil {
		return err
	}
	s.Portal = portal.New(portal.Options{Part: PortalPart, Clock: b.Clock, Log: b.Log, Login: "http://portal.example/login"})
	s.undos = append(s.undos, s.Portal.Close, b.DNS.Zone.Set("portal.example", dns.Records{A: []netip.Addr{address}}))
	var shut atomic.Bool
	direct := ruling(p.Direct)
	leave, err := b.World.Guard(b.World.Home(), internet.Guard{
		Name: PortalPart, Serve: s.Portal.Serve,
		Rule: func(protocol internet.Protocol, to netip.AddrPort) internet.Ruling {
			switch {
			case !shut.Load() || to.Port() == 53 && protocol != internet.ICMP:
				return internet.Pass
			case to.Port() == 80 && protocol == internet.TCP:
				return internet.Take
			}
			return direct
		},
	})
	if err != nil {
		return err
	}
	s.undos = append(s.undos, leave)
	s.Portal.Hook(func() func() {
		shut.Store(true)
		return func() { shut.Store(false) }
	})
	if p.Lie > 0 {
		s.Portal.Hook(func() func() { return b.DNS.Do(dns.HijackFor(address, p.Lie)) })
	}
	return nil
}

// ruling is how a guard does it.
func ruling(m profile.Manner) internet.Ruling {
	if m == profile.Refused {
		return internet.Refuse
	}
	return internet.Drop
}

// Shut shuts the portal, if there is one, as for somebody who has just come. It opens by itself, as if a person had accepted its terms.
func (s *Surroundings) Shut() {
	if s.Portal == nil {
		return
	}
	s.Open()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut++
	nth := s.shut
	s.opens = s.bed.Clock.Now().Add(s.profile.Portal.Opens)
	s.bed.Log.Add(evidence.Event{Part: PortalPart, Kind: evidence.Seen, Text: fmt.Sprintf("is shut; opens by itself in %s, as if a person had accepted its terms", s.profile.Portal.Opens)})
	s.open = s.Portal.Shut(map[profile.Answer]portal.Manner{profile.Redirects: portal.Redirects, profile.Serves: portal.Serves}[s.profile.Portal.Answer])
	s.timer = s.bed.Clock.AfterFunc(s.profile.Portal.Opens, func() { s.accept(nth) })
}

// accept opens the portal if it was not shut again since.
func (s *Surroundings) accept(nth int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut != nth || s.timer == nil {
		return
	}
	s.bed.Log.Add(evidence.Event{Part: PortalPart, Kind: evidence.Seen, Text: "opens by itself"})
	s.open()
}

// Open opens the portal, if there is one.
func (s *Surroundings) Open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.open()
}

// Opens is when the portal opens, or did; zero: there is none.
func (s *Surroundings) Opens() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opens
}
