package cloud

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/world/broker"
)

const (
	tokenLife = time.Hour // device time
	maxBody   = 64 << 10
	maxTokens = 10000
)

// session is who a token stands for.
type session struct {
	user  string
	until time.Time
}

// tokens are the sessions of apps. They do not outlive a restart.
type tokens struct {
	mu  sync.Mutex
	all map[string]session
}

// api is the HTTP interface for apps, and for devices that come new. All but login and what devices ask want
// "Authorization: Bearer TOKEN". A device that is not the user's is 404, as
// is one that does not exist.
func (c *Cloud) api() http.Handler {
	ts := &tokens{all: map[string]session{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/devices/{id}/telemetry", c.ingest())
	mux.HandleFunc("POST /v1/claim", c.claims(c.provision))
	mux.HandleFunc("POST /api/login", func(w http.ResponseWriter, r *http.Request) { c.login(ts, w, r) })
	mux.HandleFunc("GET /api/devices", c.as(ts, func(user string, w http.ResponseWriter, _ *http.Request) {
		reply(w, c.store.of(user))
	}))
	mux.HandleFunc("GET /api/devices/{id}/state", c.as(ts, func(user string, w http.ResponseWriter, r *http.Request) {
		u, err := c.store.see(user, r.PathValue("id"))
		if err != nil {
			fail(w, err)
			return
		}
		reply(w, u.State)
	}))
	mux.HandleFunc("POST /api/devices/{id}/commands", c.as(ts, c.command))
	mux.HandleFunc("POST /api/devices/{id}/claim", c.as(ts, func(user string, w http.ResponseWriter, r *http.Request) {
		done(w, c.store.claim(user, r.PathValue("id")))
	}))
	mux.HandleFunc("POST /api/devices/{id}/share", c.as(ts, func(user string, w http.ResponseWriter, r *http.Request) {
		var ask struct{ With string }
		if !read(w, r, &ask) {
			return
		}
		done(w, c.store.share(user, r.PathValue("id"), ask.With))
	}))
	return mux
}

func (c *Cloud) login(ts *tokens, w http.ResponseWriter, r *http.Request) {
	var ask struct{ User, Password string }
	if !read(w, r, &ask) {
		return
	}
	a, ok := c.store.login(ask.User, ask.Password)
	if !ok || a.Role != "user" {
		http.Error(w, "wrong user name or password", http.StatusUnauthorized)
		return
	}
	token, now := rand.Text(), c.cfg.Clock.Now()
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for t, s := range ts.all {
		if now.After(s.until) {
			delete(ts.all, t)
		}
	}
	if len(ts.all) >= maxTokens {
		http.Error(w, "too many sessions", http.StatusServiceUnavailable)
		return
	}
	ts.all[token] = session{user: a.Name, until: now.Add(tokenLife)}
	reply(w, map[string]string{"token": token})
}

// as finds out who asks.
func (c *Cloud) as(ts *tokens, do func(user string, w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		ts.mu.Lock()
		s, ok := ts.all[token]
		ts.mu.Unlock()
		if !ok || c.cfg.Clock.Now().After(s.until) {
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		do(s.user, w, r)
	}
}

// command hands a command on to a device; it is queued when the device is away.
func (c *Cloud) command(user string, w http.ResponseWriter, r *http.Request) {
	u, err := c.store.see(user, r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil || !json.Valid(body) {
		http.Error(w, "a command is JSON of at most 64 KiB", http.StatusBadRequest)
		return
	}
	c.broker.Publish(broker.Message{Topic: "thermostat/" + u.ID + "/command", Payload: body, QoS: 1})
	w.WriteHeader(http.StatusAccepted)
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		http.Error(w, "the body is not the JSON that is expected", http.StatusBadRequest)
		return false
	}
	return true
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away needs no answer
}

func done(w http.ResponseWriter, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func fail(w http.ResponseWriter, err error) {
	code := http.StatusNotFound
	if errors.Is(err, errTaken) {
		code = http.StatusConflict
	}
	http.Error(w, err.Error(), code)
}
