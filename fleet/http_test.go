package fleet

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

// ingest is an endpoint with a server of net/http.
func ingest(t *testing.T, newest uint16, h http.HandlerFunc) *far {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that end with the run
	f := &far{}
	if newest == 0 {
		s.Start()
		f.Scheme = product.HTTP
	} else {
		s.TLS = &tls.Config{MaxVersion: newest}
		s.StartTLS()
		f.Scheme, f.Name, f.Roots = product.HTTPS, "example.com", x509.NewCertPool()
		f.Roots.AddCert(s.Certificate())
	}
	f.Host = s.Listener.Addr().String()
	t.Cleanup(s.Close)
	return f
}

func httpJob(f *far, devices int, every time.Duration, change func(*product.Class)) Job {
	j := job(f, devices, every, func(c *product.Class) {
		c.Telemetry[0].Topic = "/meters/{id}/telemetry?n={n}"
		c.Identity.Token = "token-{n}"
		if change != nil {
			change(c)
		}
	})
	j.Watch, j.For = false, unhurried(2500*time.Millisecond)
	return j
}

// TestHTTP counts what a real server took, with each end that an answer can have.
func TestHTTP(t *testing.T) {
	t.Parallel()
	none := func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }
	for _, one := range []struct {
		name   string
		newest uint16
		by     bool
		close  bool
		answer func(w http.ResponseWriter)
	}{
		{name: "204", answer: none},
		{name: "by goroutines", answer: none, by: true},
		{name: "tls 1.3", answer: none, newest: tls.VersionTLS13},
		{name: "tls 1.2", answer: none, newest: tls.VersionTLS12},
		{name: "length", answer: func(w http.ResponseWriter) { fmt.Fprint(w, `{"ok":true}`) }},
		{name: "chunks", answer: func(w http.ResponseWriter) {
			for range 3 {
				fmt.Fprint(w, strings.Repeat("x", 30000))
				_ = http.NewResponseController(w).Flush()
			}
		}},
		{name: "early hints", answer: func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		}},
		{name: "close", answer: func(w http.ResponseWriter) {
			w.Header().Set("Connection", "close")
			fmt.Fprint(w, "ok")
		}, close: true},
		{name: "close, tls", newest: tls.VersionTLS13, answer: func(w http.ResponseWriter) {
			w.Header().Set("Connection", "close")
			fmt.Fprint(w, "ok")
		}, close: true},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			seen, from, wrong := map[string]int{}, map[string]bool{}, ""
			f := ingest(t, one.newest, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				mu.Lock()
				seen[string(b)]++
				from[r.RemoteAddr] = true
				n := r.URL.Query().Get("n")
				if r.Method != "POST" || r.URL.Path != "/meters/meter-"+n+"/telemetry" || r.Header.Get("Authorization") != "Bearer token-"+n ||
					r.Header.Get("Content-Type") != "application/json" || r.ContentLength != int64(len(b)) {
					wrong = fmt.Sprint(r.Method, r.URL, r.Header)
				}
				mu.Unlock()
				one.answer(w)
			})
			every := 100 * time.Millisecond
			if one.close {
				every = unhurried(4 * every)
			}
			j := httpJob(f, 30, every, nil)
			j.Goroutine = one.by
			r := do(t, j)
			mu.Lock()
			defer mu.Unlock()
			n := r.Totals.Counts
			right := len(from) == 30 && n[series.Accepted] == 30
			if one.close {
				right = n[series.Accepted] >= n[series.Sent] && len(from) > len(seen)*3/4 // a port may come again
			}
			if !right || n[series.Sent] < 60 && !one.close || n[series.Sent] < 30 || n[series.Acked] != n[series.Sent] || int(n[series.Sent]) != len(seen) || wrong != "" ||
				r.Points[(j.For-1)/time.Second].Connected != 30 || n[series.Dropped]+n[series.Broken]+n[series.Withheld] > 0 {
				t.Errorf("accepted %d, sent %d, acknowledged %d, the server saw %d on %d connections, connected %d; errors %v, answers %v; wrong %s", n[series.Accepted],
					n[series.Sent], n[series.Acked], len(seen), len(from), r.Points[(j.For-1)/time.Second].Connected, r.Totals.Errors, r.Totals.Answers, wrong)
			}
		})
	}
}

// TestOpenModelOfHTTP has the server be slower than the messages: what waits for its turn has the wait in its latency, and what still waits
// at the end is not sent behind the back of the account.
func TestOpenModelOfHTTP(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	f := ingest(t, 0, func(w http.ResponseWriter, _ *http.Request) {
		seen.Add(1)
		time.Sleep(200 * time.Millisecond)
	})
	j := httpJob(f, 5, 100*time.Millisecond, nil)
	j.Drain = 300 * time.Millisecond
	r := do(t, j)
	ack, _ := r.Latency(series.Ack)
	if n := r.Totals.Counts; n[series.Withheld]+n[series.Sent] < 20 || ack.Max < 0.6 || n[series.Withheld] == 0 || seen.Load() > int64(n[series.Sent]) || seen.Load() < int64(n[series.Acked]) ||
		n[series.Acked]+n[series.Unanswered] != n[series.Sent] || r.Messages.Sent != n[series.Sent] || r.Messages.Acked != n[series.Acked] {
		t.Errorf("sent %d, withheld %d, %+v; the server saw %d; account %+v", n[series.Sent], n[series.Withheld], ack, seen.Load(), *r.Messages)
	}
}

// TestRetryAfter has the server refuse a device at first, and ask others for a pause.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	count, forbidden := 0, false
	held := map[string]time.Time{}
	f := ingest(t, 0, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n := r.URL.Query().Get("n")
		if at, ok := held[n]; ok && time.Since(at) < 950*time.Millisecond {
			t.Errorf("device %s came %v after it was asked to wait", n, time.Since(at))
		}
		switch count++; {
		case held[n].IsZero() && (n == "0" || n == "1" && count > 40):
			held[n] = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case n == "2" && count > 40 && !forbidden:
			forbidden = true
			w.WriteHeader(http.StatusForbidden)
		}
	})
	j := httpJob(f, 5, 100*time.Millisecond, nil)
	j.For = unhurried(2500 * time.Millisecond)
	r := do(t, j)
	n, a := r.Totals.Counts, r.Totals.Answers
	if n[series.Accepted] != 5 || n[series.Refused] != 1 || n[series.Rejected] != 3 || a["status 503 with Retry-After"] != 2 || a["status 403"] != 1 || n[series.Acked]+3 != n[series.Sent] {
		t.Errorf("accepted %d, refused %d, rejected %d, sent %d, acknowledged %d, answers %v, errors %v", n[series.Accepted], n[series.Refused], n[series.Rejected],
			n[series.Sent], n[series.Acked], a, r.Totals.Errors)
	}
}

// TestIdleEnd has the server end every connection that is idle for a moment: nobody is the worse for it, unless a request goes out in that
// very moment.
func TestIdleEnd(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.IdleTimeout = 50 * time.Millisecond
	s.Start()
	t.Cleanup(s.Close)
	j := httpJob(&far{Target: Target{Scheme: product.HTTP, Host: s.Listener.Addr().String()}}, 10, 300*time.Millisecond, nil)
	j.Drain = 4 * time.Second
	r := do(t, j)
	if n := r.Totals.Counts; n[series.Accepted] < 20 || n[series.Acked]+n[series.Unanswered] != n[series.Sent] || n[series.Unanswered] > n[series.Dropped] || n[series.Dropped]*2 > n[series.Accepted] || n[series.Broken] > 0 {
		t.Errorf("accepted %d, sent %d, acknowledged %d, connected %d, errors %v", n[series.Accepted], n[series.Sent], n[series.Acked], r.Points[(j.For-1)/time.Second].Connected, r.Totals.Errors)
	}
}

// crude is a far end that answers each request with bytes as they are, and may then end the connection.
func crude(t *testing.T, answer string, end bool) *far {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer nc.Close()
				r := bufio.NewReader(nc)
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					text := answer
					if strings.Contains(text, "%s") {
						text = fmt.Sprintf(text, strings.Repeat("a: b\r\n", 1<<14))
					}
					if _, err := io.WriteString(nc, text); err != nil || end {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return &far{Target: Target{Scheme: product.HTTP, Host: l.Addr().String()}}
}

// TestHostileAnswers has the far end send what no server should. Good is what is an answer all the same.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		answer string
		end    bool
		want   string // error
		good   bool
	}{
		{answer: "HTTP/1.0 200 OK\r\n\r\nuntil the end", end: true, good: true},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", good: true, want: "more than one answer to a request"},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: a\r\n\r\n", good: true},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", end: true, want: "the other side closed the connection"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Len", end: true, want: "the other side closed the connection"},
		{answer: "", end: true, want: "the other side closed the connection"},
		{answer: "HTTP/1.1 200 OK\r\n%s", want: "an answer whose head has no end"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", want: "an answer of more than 4 MiB"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", want: "an answer with a Content-Length that is none"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", want: "an answer with a Content-Length that is none"},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", want: "an answer with another Transfer-Encoding than chunked"},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", want: "a chunk whose size is none, or more than 4 MiB"},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n", want: "a chunk that is longer than it says"},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n%s", want: "an answer whose trailer has no end"},
		{answer: "HTTP/1.1 101 Switching Protocols\r\n\r\n", want: "an answer that changes the protocol"},
		{answer: "HTTP/2 200\r\n\r\n", want: "an answer that is not HTTP 1"},
		{answer: "SSH-2.0-OpenSSH_9.2\r\n\r\n", want: "an answer that is not HTTP 1"},
		{answer: "HTTP/1.1 2x0 OK\r\n\r\n", want: "an answer that is not HTTP 1"},
		{answer: "HTTP/1.1 700 OK\r\n\r\n", want: "an answer with a status that does not exist"},
		{answer: "HTTP/1.1 200 OK\r\nno header\r\n\r\n", want: "an answer with a line that is no header"},
	} {
		t.Run(fmt.Sprintf("%.60q", one.answer), func(t *testing.T) {
			t.Parallel()
			j := httpJob(crude(t, one.answer, one.end), 2, 200*time.Millisecond, nil)
			j.For, j.Drain = 600*time.Millisecond, 100*time.Millisecond
			r := do(t, j)
			n := r.Totals.Counts
			if (n[series.Accepted] > 0) != one.good || one.want == "" && len(r.Totals.Errors) > 0 || one.want != "" && (r.Totals.Errors[one.want] == 0 || len(r.Totals.Errors) != 1) {
				t.Errorf("accepted %d, errors %v", n[series.Accepted], r.Totals.Errors)
			}
		})
	}
}

// FuzzTop has no head bring the parser down.
func FuzzTop(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\n", "HTTP/1.0 204\r\nConnection: keep-alive\r\nRetry-After: 3\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", "\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a top
		if why := a.read(append(b, '\n')); why == "" && (a.status < 100 || a.status > 599 || a.length < -1) {
			t.Fatalf("%q: %+v", b, a)
		}
		if n := chunkLength(b); n < -1 || n > maxAnswer {
			t.Fatalf("%q: %d", b, n)
		}
	})
}
