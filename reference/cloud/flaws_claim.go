package cloud

import (
	"context"
	"net/http"
	"time"
)

// claims are the planted defects of provisioning that show before a claim is looked at.
func (c *Cloud) claims(next http.HandlerFunc) http.HandlerFunc {
	if !c.cfg.Flaws["cloud-claims-refused-for-ever"] {
		return next
	}
	var recent burst
	return func(w http.ResponseWriter, r *http.Request) {
		if c.exhausted(recent.more(c, 20, 5*time.Second)) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many devices at once", http.StatusServiceUnavailable)
			return
		}
		next(w, r)
	}
}

// spoilt is how a claim takes the number of a new id: in a sound cloud as it is.
func (c *Cloud) spoilt(ctx context.Context, serial string) (take func(next int) int) {
	switch f := c.cfg.Flaws; {
	case f["cloud-claims-race"]:
		c.store.mu.Lock()
		free := c.store.Next
		c.store.mu.Unlock()
		_ = c.cfg.Clock.Sleep(ctx, 300*time.Millisecond) // others look it up meanwhile
		return func(int) int { return free }
	case f["cloud-claims-forgotten"]:
		c.store.mu.Lock()
		delete(c.store.Serials, serial)
		c.store.mu.Unlock()
	}
	return func(next int) int { return next }
}

// spoil takes every fifth account that provisioning made away again.
func (c *Cloud) spoil(id string) {
	if !c.cfg.Flaws["cloud-claims-half-done"] || c.made.Add(1)%5 != 0 {
		return
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	delete(c.store.Accounts, id)
}
