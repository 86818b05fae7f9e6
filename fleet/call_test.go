package fleet

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TestProvisioning has each device claim itself and fetch its credentials before it connects. The cloud fails twice, and gives the identity
// of one device to another.
func TestProvisioning(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	claims := map[string]int{}
	failures := 0
	cloud := ingest(t, 0, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/claim":
			var in struct{ Serial string }
			_ = json.Unmarshal(body, &in)
			if failures < 2 {
				failures++
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			claims[in.Serial]++
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"claim":{"ticket":[0,{"code":%d}]}}`, 1000+len(claims))
		default:
			code := r.URL.Query().Get("code")
			if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Ticket "+code {
				t.Errorf("%s %s, %v", r.Method, r.URL, r.Header)
			}
			if code == "1007" {
				code = "1006"
			}
			fmt.Fprintf(w, `{"user":"u%s","password":"p%s"}`, code, code)
		}
	})
	f := open(t, nil, nil)
	j := job(f, 20, 200*time.Millisecond, func(c *product.Class) {
		c.Provision = []product.Call{
			{URL: "http://" + cloud.Host + "/claim", Body: `{"serial":"T{n:04}"}`, Status: 201, Take: map[string]string{"code": "claim.ticket.1.code"}},
			{URL: "http://" + cloud.Host + "/credentials?code={code}", Method: "GET", Headers: map[string]string{"Authorization": "Ticket {code}"}, Take: map[string]string{"user": "user", "password": "password"}},
		}
		c.Identity = product.Identity{User: "{user}", Password: "{password}"}
		c.Backoff = &product.Backoff{First: product.Duration(100 * time.Millisecond), Factor: 1, Cap: product.Duration(time.Second), Jitter: "none"}
		c.Telemetry[0].Payload = `{"code":"{code}","stamp":"{stamp}"}`
	})
	r := do(t, j)
	mu.Lock()
	defer mu.Unlock()
	n := r.Totals.Counts
	if n[series.Accepted] != 20 || len(claims) != 20 || n[series.Doubled] != 1 || n[series.Broken] != 2 || r.Totals.Errors["provisioning: status 500"] != 2 || r.Messages.Lost != 0 {
		t.Errorf("accepted %d, claims %v, doubled %d, broken %d, errors %v, answers %v, account %+v", n[series.Accepted], claims, n[series.Doubled], n[series.Broken],
			r.Totals.Errors, r.Totals.Answers, *r.Messages)
	}
}

// TestAskingAgain has devices make their calls twice. The cloud gives every fifth another user name then, and refuses every fifth.
func TestAskingAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	claims := map[string]int{}
	api := ingest(t, 0, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		serial := r.URL.Query().Get("serial")
		claims[serial]++
		n := claims[serial]
		switch {
		case n > 1 && strings.HasSuffix(serial, "3"):
			w.WriteHeader(http.StatusConflict)
		case strings.HasSuffix(serial, "4"):
			fmt.Fprintf(w, `{"user":"u%s-%d","password":"p%d"}`, serial, n, n)
		default:
			fmt.Fprintf(w, `{"user":"u%s","password":"p%d"}`, serial, n)
		}
	})
	j := job(open(t, nil, nil), 20, 200*time.Millisecond, func(c *product.Class) {
		c.Provision = []product.Call{{URL: "/claim?serial={n}", Take: map[string]string{"user": "user", "password": "password"}}}
		c.Identity = product.Identity{User: "{user}", Password: "{password}"}
	})
	j.Target.API, j.Again = "http://"+api.Host, true
	r := do(t, j)
	n := r.Totals.Counts
	if n[series.Accepted] != 20 || len(claims) != 20 || n[series.Doubled] != 0 || n[series.Renamed] != 2 || r.Totals.Answers["provisioning again: status 409"] != 2 {
		t.Errorf("accepted %d, claims %v, doubled %d, renamed %d, errors %v, answers %v", n[series.Accepted], claims, n[series.Doubled], n[series.Renamed],
			r.Totals.Errors, r.Totals.Answers)
	}
}

// TestFailedCalls gives each failure its class.
func TestFailedCalls(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]http.HandlerFunc{
		"provisioning: an answer that is not JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"provisioning: no user in the answer":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"user":null}`) },
		"provisioning: status 302":                 func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) },
		"provisioning: an answer of more than 1 MiB": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("["), maxDocument+2))
		},
		"provisioning: the other side closed the connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			cloud := ingest(t, 0, answer)
			j := httpJob(cloud, 2, time.Second, func(c *product.Class) {
				c.Provision = []product.Call{{URL: "/claim", Take: map[string]string{"user": "user"}}}
			})
			j.For, j.Drain = time.Second, 100*time.Millisecond
			r := do(t, j)
			if n := r.Totals.Counts; n[series.Accepted] != 0 || r.Totals.Errors[want] < 1 || len(r.Totals.Errors) != 1 {
				t.Errorf("accepted %d, errors %v", n[series.Accepted], r.Totals.Errors)
			}
		})
	}
}

// TestUpdates has all devices update themselves half-way, and some fail.
func TestUpdates(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := ingest(t, 0, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/firmware/") {
			if asked.Add(1)%5 == 0 {
				w.WriteHeader(http.StatusBadGateway)
			}
			_, _ = w.Write(make([]byte, 100_000))
		}
	})
	j := httpJob(f, 20, 500*time.Millisecond, func(c *product.Class) {
		c.Update = []product.Call{{URL: "/firmware/{id}", Method: "GET"}}
	})
	j.Shape, j.For = "firmware-day", 2*time.Second
	r := do(t, j)
	if r.Totals.Answers["update: done"] != 16 || r.Totals.Errors["update: status 502"] != 4 || r.Totals.Counts[series.BytesIn] < 1_600_000 || asked.Load() != 20 {
		t.Errorf("asked %d, answers %v, errors %v", asked.Load(), r.Totals.Answers, r.Totals.Errors)
	}
}

// files opens texts by their names.
func files(all map[string][]byte) func(string) (io.ReadCloser, error) {
	return func(name string) (io.ReadCloser, error) {
		text, ok := all[name]
		if !ok {
			return nil, errors.New("no such file: " + name)
		}
		return io.NopCloser(bytes.NewReader(text)), nil
	}
}

// TestIdentitiesOfFiles has the devices of two classes be who a CSV file says, with certificates of an authority.
func TestIdentitiesOfFiles(t *testing.T) {
	t.Parallel()
	ca, err := pki.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.Server(pki.Good, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.RootsPEM())
	f := open(t, &tls.Config{Certificates: []tls.Certificate{*server}, ClientAuth: tls.RequireAnyClientCert}, nil)
	f.Scheme, f.Name, f.Roots = product.MQTTS, "localhost", roots
	var mu sync.Mutex
	wrong := map[string]bool{}
	seen := 0
	f.broker.Set(func(o *broker.Options) {
		o.Authenticate = func(p *mqtt.Connect, nc net.Conn) byte {
			mu.Lock()
			defer mu.Unlock()
			seen++
			state := nc.(*tls.Conn).ConnectionState()
			name := state.PeerCertificates[0].Subject.CommonName
			if name != p.ClientID || strings.HasPrefix(p.ClientID, "S") && string(p.Pass) != "secret of "+p.ClientID {
				wrong[p.ClientID+" "+name+" "+string(p.Pass)] = true
			}
			return 0
		}
	})
	var lines, pair bytes.Buffer
	lines.WriteString("serial,secret\n")
	for k := range 30 {
		fmt.Fprintf(&lines, "S%02d,secret of S%02d\n", k, k)
	}
	authority(t, &pair)
	j := job(f, 40, 200*time.Millisecond, func(c *product.Class) {
		c.Identity = product.Identity{ID: "{serial}", User: "u", Password: "{secret}", CSV: "devices.csv", CA: "ca.pem"}
		c.Share = 0.75
	})
	second := j.Fleet.Classes[0]
	second.Name, second.Share, second.Identity = "other", 0.25, product.Identity{CA: "ca.pem"}
	j.Fleet.Classes = append(j.Fleet.Classes, second)
	j.Open = files(map[string][]byte{"devices.csv": lines.Bytes(), "ca.pem": pair.Bytes()})
	r := do(t, j)
	mu.Lock()
	defer mu.Unlock()
	if n := r.Totals.Counts; n[series.Accepted] != 40 || seen != 41 || len(wrong) > 0 || r.Messages.Lost != 0 {
		t.Errorf("accepted %d, seen %d, wrong %v, errors %v, account %+v", n[series.Accepted], seen, wrong, r.Totals.Errors, *r.Messages)
	}
	j.Open = files(map[string][]byte{"devices.csv": []byte("serial,secret\nS1,x\n"), "ca.pem": pair.Bytes()})
	if _, err := Prepare(t.Context(), j); err == nil || !strings.Contains(err.Error(), "1 lines of values") {
		t.Errorf("a file that is too short: %v", err)
	}
}

// TestResumption has a fleet come back with its tickets, each device with its own.
func TestResumption(t *testing.T) {
	t.Parallel()
	for _, newest := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, resume := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %v", tls.VersionName(newest), resume), func(t *testing.T) {
				t.Parallel()
				var resumed, all atomic.Int64
				f := secureWith(t, newest, func(cfg *tls.Config) {
					cfg.VerifyConnection = func(s tls.ConnectionState) error {
						if all.Add(1); s.DidResume {
							resumed.Add(1)
						}
						return nil
					}
				})
				j := job(f, 20, 100*time.Millisecond, func(c *product.Class) {
					c.TLS = &product.ClassTLS{Resume: resume}
					c.Backoff = &product.Backoff{First: product.Duration(100 * time.Millisecond), Factor: 1, Cap: product.Duration(time.Second), Jitter: "none"}
				})
				j.Shape, j.Drain = "reconnect-storm", 2*time.Second // what was on its way when all were cut off is lost
				r := do(t, j)
				n, want := r.Totals.Counts, int64(0)
				if resume { // a device that a busy machine had not connected when all were cut off has no ticket
					want = int64(n[series.Accepted]) - 20
				}
				if n[series.Accepted] < 36 || n[series.Accepted] > 40 || resumed.Load() != want || int64(n[series.Resumed]) > want || resume && n[series.Resumed] < 16 {
					t.Errorf("accepted %d, resumed %d of %d, counted %d", n[series.Accepted], resumed.Load(), all.Load(), n[series.Resumed])
				}
			})
		}
	}
}

// authority writes one that may sign, with its key.
func authority(t *testing.T, to io.Writer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "devices"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := pem.Encode(to, b); err != nil {
			t.Fatal(err)
		}
	}
}
