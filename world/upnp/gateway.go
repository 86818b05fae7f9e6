package upnp

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Group is where SSDP is spoken.
var Group = netip.MustParseAddrPort("239.255.255.250:1900")

// Port is the TCP port of the description and the actions.
const Port = 5000

// maxMappings bounds the table.
const maxMappings = 64

// Options is what a Gateway is made of.
type Options struct {
	Part   string // as events are signed; empty: "igd"
	Router *internet.Router
	Clock  *clock.Clock
	Log    *evidence.Log
}

// Gateway is a running Internet Gateway Device. It is safe for concurrent use.
type Gateway struct {
	o      Options
	server *http.Server
	ssdp   net.PacketConn
	life   context.Context
	end    context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	behave   Behaviour
	mappings map[key]Mapping
}

// key is what a mapping is known by.
type key struct {
	protocol internet.Protocol
	external uint16
}

// Mapping is an open port.
type Mapping struct {
	Protocol    internet.Protocol `json:"protocol"`
	External    uint16            `json:"external"`
	Client      netip.AddrPort    `json:"client"`
	Description string            `json:"description"`
	Lease       time.Duration     `json:"lease"` // as the gateway tells it; 0: for ever
	Until       time.Time         `json:"until,omitzero"`
}

// Open starts a gateway on the host of a router.
func Open(o Options) (*Gateway, error) {
	if o.Part == "" {
		o.Part = "igd"
	}
	listen, err := o.Router.Host.Listen(netip.AddrPortFrom(o.Router.LAN().Addr(), Port))
	if err != nil {
		return nil, fmt.Errorf("open gateway device: %w", err)
	}
	group, err := o.Router.Host.ListenMulticast(Group, 4)
	if err != nil {
		listen.Close()
		return nil, fmt.Errorf("open gateway device: %w", err)
	}
	g := &Gateway{o: o, ssdp: group, mappings: map[key]Mapping{}}
	g.life, g.end = context.WithCancel(context.Background())
	g.server = &http.Server{
		Handler: http.HandlerFunc(g.serve), MaxHeaderBytes: 8 << 10,
		ReadTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return g.life },
	}
	g.wg.Go(func() { _ = g.server.Serve(listen) }) // ends with ErrServerClosed
	g.wg.Go(func() { link.Datagrams(g.life, o.Clock, g.ssdp, maxDatagram+1, g.discovered) })
	return g, nil
}

// Close ends the gateway. Ports that it opened stay open, as they do when a router's UPnP is switched off.
func (g *Gateway) Close() {
	g.end()
	_ = g.server.Close()
	_ = g.ssdp.Close()
	g.wg.Wait()
}

// Set changes how the gateway behaves from now on. The undo goes back to how it was before.
func (g *Gateway) Set(change func(*Behaviour)) (undo func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.behave
	change(&g.behave)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.behave = was
	}
}

func (g *Gateway) behaviour() Behaviour {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.behave
}

// Mappings are the ports that are open by UPnP now, sorted by protocol and port.
func (g *Gateway) Mappings() []Mapping {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open()
}

// open drops the mappings that ended, or that the router forgot, and returns the others; g.mu is held.
func (g *Gateway) open() []Mapping {
	alive := map[key]bool{}
	for _, f := range g.o.Router.Opened() {
		alive[key{f.Protocol, f.Port}] = true
	}
	var all []Mapping
	for k, m := range g.mappings {
		if !alive[k] {
			delete(g.mappings, k)
			continue
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Mapping) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.External, b.External))
	})
	return all
}

// Forget closes every port that the gateway opened, as a router does that lost its table.
func (g *Gateway) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k := range g.mappings {
		g.shut(k)
	}
}

// shut closes one port; g.mu is held.
func (g *Gateway) shut(k key) {
	delete(g.mappings, k)
	g.o.Router.Open(internet.Forward{Protocol: k.protocol, Port: k.external, Until: time.Unix(1, 0)})
}

func (g *Gateway) add(kind evidence.Kind, text string, data any) {
	g.o.Log.Add(evidence.Event{Part: g.o.Part, Kind: kind, Text: text, Data: data})
}
