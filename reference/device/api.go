package device

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// How the device uses the API of its cloud. All are device time.
const (
	fetchEvery  = 5 * time.Second  // between two fetches of the configuration, if the server does not say more
	fetchRarely = 24 * time.Hour   // the most that it may say
	requestWait = 15 * time.Second // for the configuration, with all that it takes
	packWait    = 60 * time.Second // for a language pack
	apiBackoff  = 2 * time.Second  // the first wait after a failure
	apiCap      = 60 * time.Second
	apiPatience = 24 * time.Hour   // the longest Retry-After that is kept to
	tokenFresh  = 10 * time.Minute // so old a token must be before it is asked for anew
)

// api is the device's dealing with the API of its cloud: it belongs to the goroutine of Run, but for what a turn under way holds.
type api struct {
	client   *apiClient
	rng      *rand.Rand
	at       time.Duration // uptime of the next turn
	failures int           // in a row
	turn     *turn         // nil when none is under way
	granted  time.Duration // uptime at which the token was given; 0: at the factory
	gone     bool          // gave up for good: only by defect
}

// turn is one exchange with the API that is under way.
type turn struct {
	cancel context.CancelFunc
	done   chan outcome // gets one
}

// outcome is how a turn ended.
type outcome struct {
	doc   *document
	pack  string        // SHA-256 of the language pack that is whole now
	token string        // given in this turn
	fresh time.Duration // so long the configuration holds, as the server says
	err   error
}

// newAPI prepares the turns of one life; nil when the device has no API.
func (d *Device) newAPI() *api {
	if d.cfg.API == "" {
		return nil
	}
	token := d.set.Token
	if token == "" {
		token = d.cfg.APIToken
	}
	return &api{
		client: &apiClient{d: d, token: token}, rng: rand.New(rand.NewPCG(d.cfg.Seed, 1<<32+uint64(d.set.Boots))), at: d.up + bootTime/2,
	}
}

// advanceAPI starts a turn when it is time, while the device is online: what keeps it from its broker is not made worse by its API.
func (d *Device) advanceAPI() {
	a := d.api
	if a == nil || a.turn != nil || d.up < a.at || a.gone || !d.online() {
		return
	}
	wait, run := requestWait, a.client.fetchDocument
	if p := d.set.Wanted; p != nil {
		want := *p
		wait, run = packWait, func(ctx context.Context) outcome { return a.client.fetchPack(ctx, want) }
	}
	ctx, cancel := context.WithCancel(d.power)
	if !d.has("http-no-timeout") {
		ctx, cancel = d.cfg.Clock.Timeout(d.power, wait)
	}
	t := &turn{cancel: cancel, done: make(chan outcome, 1)}
	a.turn = t
	a.client.mayRefresh = a.granted == 0 || d.up-a.granted >= tokenFresh || d.has("http-401-hammer")
	go func() { t.done <- run(ctx) }()
}

// turned takes the outcome of a turn.
func (d *Device) turned(o outcome) {
	a := d.api
	a.turn.cancel()
	a.turn = nil
	if o.token != "" {
		d.set.Token, a.granted, d.dirty = o.token, max(d.up, 1), true
	}
	if o.err != nil {
		d.apiFailed(o.err)
		return
	}
	a.failures = 0
	a.at = d.up + min(max(fetchEvery, o.fresh), fetchRarely)
	if o.pack != "" {
		d.set.Wanted, d.set.Pack, d.dirty = nil, o.pack, true
		d.con.say("language pack %s took effect", o.pack)
	}
	if o.doc != nil {
		d.configure(o.doc)
	}
}

// configure makes a document the configuration of the device.
func (d *Device) configure(doc *document) {
	if doc.ID == d.set.Document {
		return
	}
	d.set.Document, d.dirty = doc.ID, true
	if doc.Language != "" {
		d.set.Language = doc.Language
	}
	d.con.say("configuration %s took effect", doc.ID)
	if doc.Pack != nil && doc.Pack.SHA256 != d.set.Pack {
		d.set.Wanted, d.api.at = doc.Pack, d.up
	}
}

// apiFailed sets the next turn after one that failed: later each time, with chance in it, and not before the server said.
func (d *Device) apiFailed(err error) {
	a := d.api
	step := min(apiBackoff<<min(a.failures, 8), apiCap)
	a.failures++
	wait := step/2 + time.Duration(a.rng.Float64()*float64(step/2))
	var refused *statusError
	switch {
	case errors.As(err, &refused) && refused.code == 401:
		wait += authWait
	case errors.As(err, &refused) && refused.after > 0 && !d.has("http-retry-after-ignored"):
		wait += min(refused.after, apiPatience)
	}
	wait = d.apiWaitFlawed(wait, err)
	d.con.say("configuration not fetched: %v; next attempt in %.1f s", err, wait.Seconds())
	a.at = d.up + wait
}

// nextAPI is the uptime at which advanceAPI has something to do.
func (d *Device) nextAPI() time.Duration {
	if d.api == nil || d.api.turn != nil || d.api.gone || !d.online() {
		return never
	}
	return d.api.at
}

// apiDone is where the outcome of the present turn comes from; nil without one.
func (d *Device) apiDone() <-chan outcome {
	if d.api == nil || d.api.turn == nil {
		return nil
	}
	return d.api.turn.done
}

// endAPI ends a turn that is under way, and the connection to the API.
func (d *Device) endAPI() {
	if d.api == nil {
		return
	}
	if t := d.api.turn; t != nil {
		t.cancel()
		<-t.done
		d.api.turn = nil
	}
	d.api.client.hangUp()
}

// apiWaitFlawed is the wait where a planted defect decides it.
func (d *Device) apiWaitFlawed(wait time.Duration, err error) time.Duration {
	var refused *statusError
	status := 0
	if errors.As(err, &refused) {
		status = refused.code
	}
	timeout := errors.Is(err, context.DeadlineExceeded)
	switch {
	case d.has("http-5xx-hammer") && status >= 500 && refused.after == 0,
		d.has("http-401-hammer") && status == 401:
		return 2 * time.Second
	case errors.Is(err, errStale):
		return fetchEvery
	case d.has("http-timeout-hammer") && timeout, d.has("http-redirect-hammer") && errors.Is(err, errRedirects):
		return 50 * time.Millisecond
	case d.has("http-401-gives-up") && status == 401:
		d.api.gone = true
	case d.has("http-captive-gives-up") && status == 0 && !timeout && d.api.failures >= 3:
		return 20 * time.Minute
	}
	return wait
}

// statusError is an answer with a status of failure.
type statusError struct {
	code  int
	after time.Duration // of Retry-After; 0: none
}

func (e *statusError) Error() string {
	if e.after > 0 {
		return fmt.Sprintf("status %d, retry after %.0f s", e.code, e.after.Seconds())
	}
	return fmt.Sprintf("status %d", e.code)
}
