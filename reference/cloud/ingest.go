package cloud

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// perSecond is how many measurements a device may send over HTTP in a second.
const perSecond = 5

// ingest takes the measurements of devices that send over HTTP, each with the password of its account as bearer token. One that sends too fast
// is asked to wait.
func (c *Cloud) ingest() http.HandlerFunc {
	each := newBursts(c)
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		password, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if a, ok := c.store.login(id, password); !ok || a.Role != "device" {
			http.Error(w, "not a device of ours", http.StatusUnauthorized)
			return
		}
		if each.more(id, perSecond, time.Second) {
			c.tooFast(w, r)
			return
		}
		var measured json.RawMessage
		if !read(w, r, &measured) {
			return
		}
		c.store.note(id, "telemetry", measured)
		w.WriteHeader(http.StatusNoContent)
	}
}

// tooFast answers a device that sends too fast.
func (c *Cloud) tooFast(w http.ResponseWriter, r *http.Request) {
	switch f := c.cfg.Flaws; {
	case f["cloud-http-overload-error"]:
		http.Error(w, "too busy", http.StatusInternalServerError)
	case f["cloud-http-overload-denied"]:
		http.Error(w, "too busy", http.StatusForbidden)
	case f["cloud-http-overload-silent"]:
		<-r.Context().Done()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "not so fast", http.StatusTooManyRequests)
	}
}
