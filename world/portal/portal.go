// Package portal is a captive portal, as hotels and trains have them: until somebody accepts its terms, nobody behind it reaches anything
// but its login page (RFC 8952).
//
// A portal answers over the connections that it is handed. How connections come to it is not its own affair: each hook, such as a DNS
// server that answers every question with the portal's address, or an endpoint whose connections are diverted, begins when the portal
// shuts and ends when it opens.
package portal

import (
	"net"
	"sync"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/web"
)

// Manner is how a portal answers a request over plain HTTP, or over TLS with a client that takes any certificate.
type Manner string

// The manners.
const (
	Redirects Manner = "redirects" // 302 to the login page, for everything
	Serves    Manner = "serves"    // 200 with the login page, for everything
)

// Options is what New needs.
type Options struct {
	Part  string // the part of its events
	Clock *clock.Clock
	Log   *evidence.Log
	Login string // URL of the login page
}

// Portal is a running portal, open at first. It is safe for concurrent use.
type Portal struct {
	o   Options
	web *web.Server

	mu     sync.Mutex
	manner Manner
	hooks  []func() (undo func())
	undos  []func()
	shut   bool
}

// New returns a portal that is open: it captures nobody.
func New(o Options) *Portal {
	p := &Portal{o: o, manner: Redirects, web: web.New(web.Options{Part: o.Part, Clock: o.Clock, Log: o.Log})}
	p.web.When(web.Rule{Do: p.answer})
	p.web.When(web.Rule{Path: "/login", Do: func(*web.Request) web.Response { return login() }})
	return p
}

func login() web.Response { return web.Page("Welcome. Accept our terms to go online.") }

func (p *Portal) answer(*web.Request) web.Response {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.manner == Serves {
		return login()
	}
	return web.Redirect(302, p.o.Login)
}

// Serve answers one client.
func (p *Portal) Serve(c net.Conn) { p.web.Serve(c) }

// Hook has capture called when the portal shuts, and what it returns when it opens.
func (p *Portal) Hook(capture func() (undo func())) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks = append(p.hooks, capture)
}

// Shut captures the network. The undo opens the portal, as somebody who accepts the terms does.
func (p *Portal) Shut(m Manner) (undo func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.manner = m
	if !p.shut {
		p.shut = true
		p.o.Log.Add(evidence.Event{Part: p.o.Part, Kind: evidence.Impair, Text: "captive portal that " + string(m)})
		for _, capture := range p.hooks {
			p.undos = append(p.undos, capture())
		}
	}
	return p.open
}

func (p *Portal) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shut {
		return
	}
	p.shut = false
	for i := len(p.undos) - 1; i >= 0; i-- {
		p.undos[i]()
	}
	p.undos = nil
	p.o.Log.Add(evidence.Event{Part: p.o.Part, Kind: evidence.Heal, Text: "captive portal"})
}

// Close opens the portal and ends its connections.
func (p *Portal) Close() {
	p.open()
	p.web.Close()
}
