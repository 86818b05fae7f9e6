package pki

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"
)

// testNow is far from the time of the machine: whatever forgets the clock it was given shows.
var testNow = time.Date(2033, 5, 6, 7, 8, 9, 0, time.UTC)

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := New(func() time.Time { return testNow })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func deviceRoots(t *testing.T, a *Authority) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(a.RootsPEM()) {
		t.Fatal("RootsPEM holds no certificate")
	}
	return pool
}

// What crypto/x509 says to each case. Accepted is the empty class.
const (
	accepted   = ""
	expired    = "expired"
	hostname   = "hostname"
	unknown    = "unknown authority"
	notCA      = "not an authority"
	tooMany    = "too many intermediates"
	constraint = "name constraint"
	usage      = "usage"
	critical   = "critical extension"
)

func class(err error) string {
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var ext x509.UnhandledCriticalExtension
	switch {
	case err == nil:
		return accepted
	case errors.As(err, &host):
		return hostname
	case errors.As(err, &authority):
		return unknown
	case errors.As(err, &ext):
		return critical
	case errors.As(err, &invalid):
		switch invalid.Reason {
		case x509.Expired:
			return expired
		case x509.NotAuthorizedToSign:
			return notCA
		case x509.TooManyIntermediates:
			return tooMany
		case x509.CANotAuthorizedForThisName:
			return constraint
		case x509.IncompatibleUsage:
			return usage
		}
	}
	return err.Error()
}

// wants is what a strict client thinks of each case by certificates alone. The cases that crypto/x509 accepts although they are
// bad are ReplacedKey (seen in the handshake), RSA1024, OCSPRevoked and MustStaple.
var wants = map[Case]string{
	Good: accepted, Expired1h: expired, Expired1y: expired, NotYetValid: expired,
	WrongHost: hostname, CNMatchSANMismatch: hostname, CNOnly: hostname, WildcardBare: hostname, WildcardTLD: hostname,
	WildcardPartial: hostname, SuffixName: hostname, NulInSAN: hostname,
	SelfSigned: unknown, UntrustedCA: unknown, ReplacedKey: accepted, LeafAsCA: unknown, OtherRealCert: hostname,
	MissingIntermediate: unknown, UnorderedChain: accepted, IntermediateExpired: expired, IntermediatePathLen: tooMany,
	IntermediateNameConstraint: constraint, IntermediateNoCertSign: unknown,
	RootExpiredCrossSigned: accepted, CrossSignedByExpired: accepted, RootExpiredOnly: expired, SecondRoot: accepted,
	ClientAuthOnly: usage, CriticalExtension: critical, SHA1: unknown, RSA1024: accepted, OCSPRevoked: accepted, MustStaple: accepted,
	LargePlus20: accepted, Large6K: accepted, Large16K: accepted, LargeSAN1000: accepted,
	ECDSAP256: accepted, RSA2048: accepted, RSA3072: accepted, RSA4096: accepted,
}

// noCases are those that do not exist, by name.
var noCases = map[string][]Case{
	"broker.x.test": {},
	"broker.test":   {WildcardTLD},
	"localhost":     {WildcardBare, WildcardTLD, WildcardPartial},
	"127.0.0.1":     {WildcardBare, WildcardTLD, WildcardPartial},
	"192.0.2.1":     {WildcardBare, WildcardTLD, WildcardPartial},
	"::1":           {WildcardBare, WildcardTLD, WildcardPartial},
	strings.Repeat("long-label.", 6) + "x.test": {CNOnly, CNMatchSANMismatch},
}

func TestStrictClient(t *testing.T) {
	a := newAuthority(t)
	roots := deviceRoots(t, a)
	for name, none := range noCases {
		missing := map[Case]bool{}
		for _, c := range none {
			missing[c] = true
		}
		for _, c := range Cases() {
			t.Run(string(c)+"/"+name, func(t *testing.T) {
				t.Parallel()
				cert, err := a.Server(c, name)
				if missing[c] {
					if !errors.Is(err, ErrNoCase) {
						t.Fatalf("got error %v, want ErrNoCase", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				rest := x509.NewCertPool()
				for _, der := range cert.Certificate[1:] {
					rest.AppendCertsFromPEM(certPEM(der))
				}
				_, err = cert.Leaf.Verify(x509.VerifyOptions{
					DNSName: name, Roots: roots, Intermediates: rest, CurrentTime: testNow,
					KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
				})
				if got, want := class(err), wants[c]; got != want {
					t.Errorf("%s: got %q, want %q (%v)", c.Text(), got, want, err)
				}
			})
		}
	}
}

func TestCasesAreComplete(t *testing.T) {
	seen := map[Case]bool{}
	for _, c := range Cases() {
		if seen[c] {
			t.Errorf("%s is listed twice", c)
		}
		seen[c] = true
		if c.Text() == "" {
			t.Errorf("%s has no text", c)
		}
		if _, ok := wants[c]; !ok {
			t.Errorf("%s: this test does not say what a strict client does", c)
		}
	}
	for c := range wants {
		if !seen[c] {
			t.Errorf("%s is missing from Cases", c)
		}
	}
	if got := Case("nonsense").Text(); got != "" {
		t.Errorf("unknown case has text %q", got)
	}
}

func TestServerRefuses(t *testing.T) {
	a := newAuthority(t)
	for _, name := range []string{"", ".", "a..b", "a b", "fe80::1%eth0", "broker.test.", "bröker.test", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a"} {
		if _, err := a.Server(Good, name); err == nil || errors.Is(err, ErrNoCase) {
			t.Errorf("name %q: got error %v, want another one", name, err)
		}
	}
	if _, err := a.Server("nonsense", "broker.test"); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("unknown case: got error %v", err)
	}
}

func TestClockIsReadAtEachIssue(t *testing.T) {
	now := testNow
	a, err := New(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(year)
	cert, err := a.Server(Expired1h, "broker.test")
	if err != nil {
		t.Fatal(err)
	}
	if want := now.Add(-time.Hour); !cert.Leaf.NotAfter.Equal(want) {
		t.Errorf("leaf ends %v, want %v", cert.Leaf.NotAfter, want)
	}
	again, err := a.Server(Expired1h, "broker.test")
	if err != nil {
		t.Fatal(err)
	}
	if again.Leaf.SerialNumber.Cmp(cert.Leaf.SerialNumber) == 0 {
		t.Error("two certificates with one serial number")
	}
}
