package testbed

import (
	"fmt"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/product"
)

// Operator is the identity that may see all that a fleet sends; at a broker that is open to anyone it is made up.
func (c *Cloud) Operator(f *product.Fleet) product.Client {
	if f.Operator != nil {
		return *f.Operator
	}
	return product.Client{ID: c.word() + "-operator"}
}

// Onlooker is an identity, other than the fleet's operator, that may subscribe to a filter. It reports false when none is declared.
func (c *Cloud) Onlooker(filter string) (product.Client, bool) {
	for _, who := range c.Identities(1) {
		if c.Open() || May(who.Subscribe, TopicUnder(filter)) {
			return who, true
		}
	}
	return product.Client{}, false
}

// Members are the identities of the first n devices of a fleet, to connect as one of them while the fleet itself does not. Only names and
// passwords from templates are known here: the error says what a class has instead.
func (c *Cloud) Members(f *product.Fleet, n int) ([]product.Client, error) {
	k := &f.Classes[0]
	if k.Identity.CSV != "" || k.Identity.CA != "" || k.Identity.Cert != "" || len(k.Provision) > 0 {
		return nil, fmt.Errorf("the identities of class %s are not made from templates alone", k.Name)
	}
	var all []product.Client
	for i := range min(n, f.Devices) {
		v := &payload.Vars{Class: k.Name, N: i, Stamp: payload.Stamp{Tenant: uint32(i % max(1, f.Tenants))}}
		text := func(template string) string {
			t, err := payload.Compile(template, payload.Bytes, 0)
			if err != nil { // the product file was read without this mistake
				return template
			}
			return string(t.Append(nil, v))
		}
		v.ID = text(k.Identity.ID)
		all = append(all, product.Client{ID: v.ID, User: text(k.Identity.User), Pass: text(k.Identity.Password)})
	}
	return all, nil
}

// Secure reports whether the cloud is spoken to over TLS.
func (c *Cloud) Secure() bool { return c.secure != nil }
