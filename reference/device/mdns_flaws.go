package device

import (
	"time"

	"github.com/miekg/dns"
)

// responderFlaws is what planted defects of the responder remember.
type responderFlaws struct {
	again time.Duration // when a device that announces for ever does so next
}

// ttl is the IP TTL of what the responder sends.
func (r *responder) ttl() uint8 {
	if r.home.cfg.has("mdns-ip-ttl") {
		return 64
	}
	return 255
}

// overlooks reports whether a defect keeps a change of the address from being seen.
func (r *responder) overlooks() bool { return r.addr.IsValid() && r.home.cfg.has("mdns-address-once") }

// ignores reports whether a defect leaves a question without an answer.
func (r *responder) ignores(m *dns.Msg) bool {
	switch {
	case r.home.cfg.has("mdns-deaf"), r.home.cfg.has("local-needs-cloud") && !r.home.cloud.Load():
		return true
	}
	return len(m.Ns) > 0 && r.home.cfg.has("mdns-undefended")
}

// turnFlawed announces again and again.
func (r *responder) turnFlawed() {
	if !r.home.cfg.has("mdns-periodic") || !r.settled || r.announced > 0 {
		return
	}
	if r.flawed.again != 0 && r.now() >= r.flawed.again {
		r.announce()
		r.flawed.again = 0
	}
	if r.flawed.again == 0 {
		r.flawed.again = r.now() + 10*time.Second
	}
	r.at = r.flawed.again
}

// probeFlawed takes a name without asking.
func (r *responder) probeFlawed() {
	if r.home.cfg.has("mdns-no-probe") {
		r.probing, r.announced = 0, announces
	}
}

// uniqueFlawed leaves the cache-flush bit out.
func (r *responder) uniqueFlawed(rr []dns.RR) []dns.RR {
	if r.home.cfg.has("mdns-no-flush") {
		for _, one := range rr {
			one.Header().Class = dns.ClassINET
		}
	}
	return rr
}

// goodbyeFlawed leaves out what a defect does not take back.
func (r *responder) goodbyeFlawed(rr []dns.RR) []dns.RR {
	switch {
	case r.home.cfg.has("mdns-no-goodbye"):
		return nil
	case r.home.cfg.has("mdns-goodbye-host-only"):
		return rr[1:2]
	}
	return rr
}

// contestedFlawed reports whether a defect passes over a conflict.
func (r *responder) contestedFlawed() bool {
	switch {
	case r.home.cfg.has("mdns-conflict-ignored"), r.home.cfg.has("mdns-no-probe"):
		return true
	case r.home.cfg.has("mdns-conflict-mute"):
		r.settled, r.probing, r.announced, r.at = false, 0, 0, 0
		return true
	}
	return false
}
