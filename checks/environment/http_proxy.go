package environment

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/pki"
	"github.com/shakedown-test/shakedown/world/proxy"
)

// brokenOpen is how many tunnels are looked at that the proxy breaks open.
const brokenOpen = 2

// HTTPProxy makes a proxy the only way to the device's API.
var HTTPProxy = &check.Check{
	ID:    "environment.http-proxy",
	Title: "Works through the proxy that it is given, and through no dishonest one",
	Why: "In offices and hospitals nothing gets out but through a proxy. Some proxies break TLS open with an authority of their own: " +
		"a device that bears it has told its secrets to whoever runs the network.",
	Pass: "with an HTTP proxy as the only way a document takes effect; while the proxy demands a password the device does not have, resets or cuts its tunnels, or " +
		"breaks TLS open with a foreign authority, no request comes through and the device does not crash; a document takes effect afterwards",
	Fix:          "take host and port of the proxy from the settings, ask it for a tunnel with CONNECT (RFC 9110 section 9.3.6), and verify the certificate of the API behind it as ever",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"http.proxy"},
	Sources:      []string{"RFC 9110 sections 9.3.6 and 15.5.8"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http", "http.proxy"}, Proxy: true},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        time.Hour,
	Run:          httpProxy,
}

func httpProxy(ctx context.Context, t *check.T) error {
	undo, err := t.Web.Link.Refuse()
	if err != nil {
		return err
	}
	direct := t.Impair(undo)
	through, err := throughProxy(ctx, t)
	if err != nil {
		return err
	}
	if !through {
		direct()
		return ignoresProxy(ctx, t)
	}
	for _, c := range []struct {
		name  string
		begin func() (undo func())
	}{
		{"demands a password", func() func() { return t.Proxy.Demand("user", "secret") }},
		{"resets its tunnels", t.Proxy.Reset},
		{"cuts tunnels after 2 s of silence", func() func() { return t.Proxy.CutIdle(2 * time.Second) }},
		{"breaks TLS open", func() func() { return t.Proxy.Intercept(foreignTo(t)) }},
	} {
		if c.name == "breaks TLS open" && !t.Web.Secure {
			continue
		}
		found, err := faceProxy(ctx, t, c.name, c.begin)
		if err != nil {
			return err
		}
		t.Find(found...)
		back, err := t.FetchesAgain(ctx, "a proxy that "+c.name)
		if err != nil || len(found) > 0 || !back {
			return err
		}
	}
	return nil
}

// foreignTo issues certificates of an authority that the device does not know.
func foreignTo(t *check.T) func(host string) (*tls.Certificate, error) {
	return func(host string) (*tls.Certificate, error) { return t.PKI.Server(pki.UntrustedCA, host) }
}

// throughProxy reports whether a document takes effect with the proxy as the only way.
func throughProxy(ctx context.Context, t *check.T) (bool, error) {
	t.Step("power on with a proxy as the only way to the API")
	doc := t.Device.Document()
	t.Device.Offer(doc)
	mark := t.Log.Len()
	if err := t.Device.Start(ctx); err != nil {
		return false, fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	_, ok, err := t.Device.AwaitDocument(ctx, doc, mark, t.Device.ConnectWithin()+t.Device.Every())
	return ok, err
}

// ignoresProxy opens the direct way: a device that then takes its document has passed over its proxy.
func ignoresProxy(ctx context.Context, t *check.T) error {
	asked := proxyAsks(t.Log.Since(0))
	t.Step("open the direct way")
	doc := t.Device.Document()
	t.Device.Offer(doc)
	mark := t.Log.Len()
	_, ok, err := t.Device.AwaitDocument(ctx, doc, mark, t.Device.Cap()+t.Device.Every())
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("see its console in the evidence", "no document took effect, neither through the proxy nor past it")
	}
	f := check.Finding{
		Title: "Does not use the proxy that it is given", Expected: "a document takes effect through the proxy",
		Seen: fmt.Sprintf("%d requests came to the proxy; a document took effect only when the direct way was open", len(asked)), Evidence: check.Range(0, t.Log.Len()-1, "the whole run"),
	}
	t.Find(f)
	return nil
}

// proxyAsks are the requests to the proxy.
func proxyAsks(events []evidence.Event) (all []*proxy.Asked) {
	for _, e := range events {
		if a, ok := e.Data.(*proxy.Asked); ok {
			all = append(all, a)
		}
	}
	return all
}

// proxied is what a device did at a proxy that misbehaves.
type proxied struct {
	what  string
	asked int
	told  *proxy.Intercepted // what came into a TLS session that was broken open; nil: nothing
	took  bool               // a document took effect all the same
	exits int
	first int
	last  int
}

// faceProxy has the proxy misbehave until the device came to it often enough.
func faceProxy(ctx context.Context, t *check.T, what string, begin func() (undo func())) ([]check.Finding, error) {
	t.Step("the proxy %s", what)
	p := proxied{what: what, first: t.Log.Len()}
	doc := t.Device.Document()
	t.Device.Offer(doc)
	heal := t.Impair(begin())
	t.Proxy.Link.Cut(true)
	wait, cancel := t.Clock.Timeout(ctx, 3*t.Device.Every())
	defer cancel()
	n := 0
	_, err := t.Log.Await(wait, p.first, func(e evidence.Event) bool {
		if _, ok := e.Data.(*proxy.Asked); ok {
			n++
		}
		told, ok := e.Data.(*proxy.Intercepted)
		return n >= brokenOpen || ok && told.Size > 0 || doc.Shows(e) || t.Device.Ends(e)
	})
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	heal()
	t.Proxy.Link.Cut(false)
	p.see(t, doc)
	t.Record("the proxy %s: %d requests came to it", what, p.asked)
	return judgeProxied(p), nil
}

func (p *proxied) see(t *check.T, doc testbed.Document) {
	events := t.Log.Since(p.first)
	p.last = p.first + len(events) - 1
	p.asked = len(proxyAsks(events))
	_, p.took = doc.Took(events)
	for _, e := range events {
		if told, ok := e.Data.(*proxy.Intercepted); ok && told.Size > 0 && p.told == nil {
			p.told = told
		}
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			p.exits++
		}
	}
}

func judgeProxied(p proxied) []check.Finding {
	ev := check.Range(p.first, p.last, "while the proxy "+p.what)
	switch {
	case p.exits > 0:
		return []check.Finding{{
			Severity: check.Blocker, Title: "Exits while its proxy " + p.what, Expected: "it goes on trying",
			Seen: fmt.Sprintf("its process ended %d times", p.exits), Evidence: ev,
		}}
	case p.told != nil:
		return []check.Finding{{
			Severity: check.Blocker, Title: "Bears a proxy that breaks its TLS open", Expected: "the certificate of a foreign authority is refused",
			Seen: fmt.Sprintf("%d bytes for %s came into the TLS session of the proxy", p.told.Size, p.told.Host), Evidence: ev,
		}}
	}
	return nil
}
