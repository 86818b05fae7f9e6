package fleet

import (
	"fmt"
	"unsafe"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/product"
)

// identity makes the identities of a class.
type identity struct {
	id, user, password, token *payload.Template
}

func newIdentity(o product.Identity) (*identity, error) {
	if o.ID == "" {
		o.ID = "{class}-{n}"
	}
	var who identity
	for _, t := range []struct {
		key, text string
		into      **payload.Template
	}{{"id", o.ID, &who.id}, {"user", o.User, &who.user}, {"password", o.Password, &who.password}, {"token", o.Token, &who.token}} {
		var err error
		if *t.into, err = payload.Compile(t.text, payload.Bytes, 0); err != nil {
			return nil, fmt.Errorf("identity: %s: %w", t.key, err)
		}
	}
	return &who, nil
}

// who sets what a template may use of a device, by its number. The values hold until it is called again.
func (s *shard) who(number int, v *payload.Vars) {
	c := s.classIn(number)
	*v = payload.Vars{Class: c.Name, N: number, Seed: s.job.Seed, Stamp: payload.Stamp{Run: s.job.Run, Tenant: s.tenant(number)}}
	s.name = c.who.id.Append(s.name[:0], v)
	v.ID = unsafe.String(unsafe.SliceData(s.name), len(s.name))
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
	}
}
