package device

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/wire/ws"
)

func TestParseDocument(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		body string
		ok   bool
	}{
		"id alone":         {`{"id":"a"}`, true},
		"with language":    {`{"id":"a","language":"en"}`, true},
		"from a newer one": {`{"id":"a","colour":1}`, true},
		"with a pack":      {`{"id":"a","pack":{"path":"/p","size":10,"sha256":"` + sum + `"}}`, true},
		"without id":       {`{"language":"en"}`, false},
		"blank id":         {`{"id":"a b"}`, false},
		"no object":        {`[]`, false},
		"a page":           {`<html>{"id":"a"}</html>`, false},
		"pack too large":   {`{"id":"a","pack":{"path":"/p","size":99999999,"sha256":"` + sum + `"}}`, false},
		"pack elsewhere":   {`{"id":"a","pack":{"path":"http://x/p","size":10,"sha256":"` + sum + `"}}`, false},
		"pack of no sum":   {`{"id":"a","pack":{"path":"/p","size":10,"sha256":"ab"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if doc, err := parseDocument([]byte(c.body)); (err == nil) != c.ok {
				t.Errorf("got %+v, %v", doc, err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	const now, later = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:37 GMT"
	for name, c := range map[string]struct {
		said, date string
		want       time.Duration
	}{
		"seconds":       {"120", "", 2 * time.Minute},
		"a date":        {later, now, time.Minute},
		"a past date":   {now, later, 0},
		"no Date":       {later, "", 0},
		"nonsense":      {"soon", now, 0},
		"negative":      {"-1", now, 0},
		"nothing":       {"", now, 0},
		"too much":      {"99999999999999", now, 0},
		"half a second": {"0.5", now, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			h.Set("Retry-After", c.said)
			h.Set("Date", c.date)
			if got := retryAfter(h); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestMaxAge(t *testing.T) {
	for said, want := range map[string]time.Duration{
		"": 0, "no-cache": 0, "max-age=60": time.Minute, "private, max-age=60": time.Minute, "max-age=-1": 0, "max-age=x": 0,
	} {
		if got := maxAge(http.Header{"Cache-Control": {said}}); got != want {
			t.Errorf("%q: got %s, want %s", said, got, want)
		}
	}
}

func TestFollow(t *testing.T) {
	c := &apiClient{d: New(Config{})}
	from, _ := url.Parse("https://api.test:443/v1/config")
	for name, k := range map[string]struct {
		location string
		hops     int
		want     string // empty: refused
	}{
		"relative":       {"other", 0, "https://api.test:443/v1/other"},
		"from the root":  {"/v2/config", 0, "https://api.test:443/v2/config"},
		"another host":   {"https://cdn.test/x", 0, "https://cdn.test/x"},
		"to http":        {"http://api.test/v1/config", 0, ""},
		"to a file":      {"file:///etc/passwd", 0, ""},
		"to nowhere":     {"", 0, ""},
		"too long":       {"/" + strings.Repeat("x", maxLocation), 0, ""},
		"too often":      {"/x", maxRedirects, ""},
		"no address":     {"https://[::1", 0, ""},
		"to a scheme":    {"javascript:alert(1)", 0, ""},
		"the last of it": {"/x", maxRedirects - 1, "https://api.test:443/x"},
	} {
		t.Run(name, func(t *testing.T) {
			to, err := c.follow(from, k.location, k.hops)
			if (err == nil) != (k.want != "") || err == nil && to.String() != k.want {
				t.Errorf("got %v, %v", to, err)
			}
		})
	}
}

func TestCloseCause(t *testing.T) {
	for code, want := range map[uint16]cause{ws.Normal: dropped, ws.GoingAway: dropped, ws.Policy: unauthorised, ws.Restart: busy, ws.TryLater: busy} {
		if got := closeCause(&ws.CloseError{Code: code}); got != want {
			t.Errorf("%d: got %d, want %d", code, got, want)
		}
	}
	if closeCause(errNoAnswer) != dropped {
		t.Error("another error has another cause")
	}
}
