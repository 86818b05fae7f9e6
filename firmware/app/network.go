package app

import (
	"strings"
	"time"
)

// NetworkConfig is a network security configuration of Android.
type NetworkConfig struct {
	Cleartext *bool // of the base configuration; nil: as the API level has it
	UserCAs   bool  // certificates that the user added are trusted, outside debugging
	Domains   []Domain
}

// Domain is what holds for some hosts.
type Domain struct {
	Names     []string
	Below     bool // and for the hosts below them
	Cleartext *bool
	Pins      int       // SHA-256 digests of keys
	PinsUntil time.Time // when the pins are no longer looked at; zero: never
}

const mostDomains = 10_000

// ReadNetworkConfig reads the document that networkSecurityConfig of the manifest points at.
func ReadNetworkConfig(root *Element, r Resources) *NetworkConfig {
	c := &NetworkConfig{}
	for _, base := range root.All("base-config") {
		if v := truth(base, "cleartextTrafficPermitted", r); v != untold {
			c.Cleartext = v.pointer()
		}
		c.UserCAs = c.UserCAs || trustsUser(base, r)
	}
	for _, d := range root.All("domain-config") {
		c.domain(d, nil, r, 0)
	}
	return c
}

// domain reads a domain configuration; those in it take over what it says.
func (c *NetworkConfig) domain(e *Element, cleartext *bool, r Resources, level int) {
	if len(c.Domains) >= mostDomains || level > 8 {
		return
	}
	if v := truth(e, "cleartextTrafficPermitted", r); v != untold {
		cleartext = v.pointer()
	}
	d := Domain{Cleartext: cleartext}
	for _, n := range e.All("domain") {
		if name := strings.ToLower(n.Text); name != "" && len(d.Names) < 1000 {
			d.Names = append(d.Names, name)
		}
		d.Below = d.Below || truth(n, "includeSubdomains", r) == yes
	}
	for _, p := range e.All("pin-set") {
		d.Pins = len(p.All("pin"))
		if until, err := time.Parse(time.DateOnly, textOf(p, "expiration", r)); err == nil {
			d.PinsUntil = until
		}
	}
	c.Domains = append(c.Domains, d)
	c.UserCAs = c.UserCAs || trustsUser(e, r)
	for _, inner := range e.All("domain-config") {
		c.domain(inner, cleartext, r, level+1)
	}
}

func trustsUser(e *Element, r Resources) bool {
	for _, anchors := range e.All("trust-anchors") {
		for _, a := range anchors.All("certificates") {
			if textOf(a, "src", r) == "user" {
				return true
			}
		}
	}
	return false
}

// Permits reports whether a host may be spoken to without TLS by what the configuration says, and the base does where it says nothing. The
// longest name that fits counts.
func (c *NetworkConfig) Permits(host string, base bool) bool {
	if c.Cleartext != nil {
		base = *c.Cleartext
	}
	host = strings.ToLower(host)
	best := -1
	for _, d := range c.Domains {
		for _, name := range d.Names {
			if (host == name || d.Below && strings.HasSuffix(host, "."+name)) && len(name) > best && d.Cleartext != nil {
				best, base = len(name), *d.Cleartext
			}
		}
	}
	return base
}
