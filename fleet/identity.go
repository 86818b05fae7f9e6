package fleet

import (
	"crypto/tls"
	"fmt"
	"slices"
	"unsafe"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/record"
	"github.com/shakedown-test/shakedown/product"
)

// identity makes the identities of a class.
type identity struct {
	id, user, password, token, cert, key, psk *payload.Template

	given *payload.Template // what tells devices apart of what provisioning gives: id, user or token; nil: nothing does
	named bool              // given is the id or the user, which stay those of the device; a token may be new each time
}

// newIdentity makes them ready: names are what a text can have, and taken those of them that provisioning gives.
func newIdentity(o product.Identity, names, taken []string) (*identity, error) {
	if o.ID == "" {
		o.ID = "{class}-{n}"
	}
	var who identity
	for _, t := range []struct {
		key, text string
		into      **payload.Template
		unique    bool
	}{
		{"id", o.ID, &who.id, true},
		{"user", o.User, &who.user, true},
		{"token", o.Token, &who.token, true},
		{"password", o.Password, &who.password, false},
		{"cert", o.Cert, &who.cert, false},
		{"key", o.Key, &who.key, false},
		{"psk", o.PSK, &who.psk, false},
	} {
		var err error
		if *t.into, err = payload.Compile(t.text, payload.Bytes, 0, names...); err != nil {
			return nil, fmt.Errorf("identity: %s: %w", t.key, err)
		}
		words, _ := product.FindPlaceholders(t.text, names...)
		if t.unique && who.given == nil && slices.ContainsFunc(words, func(w product.Placeholder) bool { return slices.Contains(taken, w.Name) }) {
			who.given, who.named = *t.into, t.key != "token"
		}
	}
	return &who, nil
}

// who sets what a template may use of a device, by its number. The values hold until it is called again.
func (s *shard) who(number int, v *payload.Vars) {
	c := s.classIn(number)
	*v = payload.Vars{Class: c.Name, N: number, Seed: s.job.Seed, Stamp: payload.Stamp{Run: s.job.Run, Tenant: s.tenant(number)}}
	if len(c.names) > 0 {
		v.Values, s.values = s.valuesOf(c, number, s.values)
	}
	s.name = c.who.id.Append(s.name[:0], v)
	v.ID = unsafe.String(unsafe.SliceData(s.name), len(s.name))
}

// valuesOf are the values of the names of a class for a device: those that it was given, or else those of its class's file, which go into
// room, with none for the rest.
func (p *plan) valuesOf(c *class, number int, room []string) (values, grown []string) {
	if len(c.provision) > 0 && number >= p.job.From && number < p.job.To {
		if given := p.given[number-p.job.From].Load(); given != nil {
			return *given, room
		}
	}
	room = c.files.Append(room[:0], p.rank(number))
	return room, room
}

// rank is the number of a device among those of its class.
func (p *plan) rank(number int) int {
	k := p.deal[number%len(p.deal)]
	return number/len(p.deal)*p.dealt[k] + int(p.ranks[number%len(p.deal)])
}

// vars is what a template may use of a device, in memory of its own.
func (p *plan) vars(number int) payload.Vars {
	c := p.classIn(number)
	v := payload.Vars{Class: c.Name, N: number, Seed: p.job.Seed, Stamp: payload.Stamp{Run: p.job.Run, Tenant: p.tenant(number)}}
	if len(c.names) > 0 {
		values, _ := p.valuesOf(c, number, nil)
		v.Values = slices.Clone(values)
	}
	v.ID = string(c.who.id.Append(nil, &v))
	return v
}

// ownVars is the same for a device at a time.
func (s *shard) ownVars(i int32, now int64) payload.Vars {
	v := s.vars(s.number(i))
	v.Time = s.micros(now)
	return v
}

// tenant is the customer to whom a device belongs.
func (p *plan) tenant(number int) uint32 { return uint32(number % p.job.Fleet.Tenants) }

// identity is with what a device connects.
func (s *shard) identity(i int32) product.Client {
	if i == s.operator {
		return s.operatorIdentity()
	}
	var v payload.Vars
	s.who(s.number(i), &v)
	w := s.classOf(i).who
	return product.Client{
		ID: string(w.id.Append(nil, &v)), User: string(w.user.Append(nil, &v)), Pass: string(w.password.Append(nil, &v)),
		Cert: string(w.cert.Append(nil, &v)), Key: string(w.key.Append(nil, &v)),
	}
}

// security gives what a device does TLS with, which may read files and sign, and so is for a goroutine. It is nil for a class without TLS.
func (s *shard) security(i int32) func() (*tls.Config, error) {
	c := s.classOf(i)
	if c.tls == nil {
		return nil
	}
	var ticket *record.Ticket
	if c.Class.TLS != nil && c.Class.TLS.Resume && i != s.operator {
		x := s.devices[i].more()
		if x.ticket == nil {
			x.ticket = &record.Ticket{}
		}
		ticket = x.ticket
	}
	if ticket == nil && !c.certified {
		return func() (*tls.Config, error) { return c.tls, nil }
	}
	who := s.identity(i)
	return func() (*tls.Config, error) {
		cfg := c.tls.Clone()
		if ticket != nil {
			cfg.ClientSessionCache = ticket
		}
		cert, err := c.files.Certificate(who.ID, who.Cert, who.Key)
		if err == nil && cert != nil {
			cfg.Certificates = []tls.Certificate{*cert}
		}
		return cfg, err
	}
}
