package security

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

func said(all []check.Finding) string {
	var titles []string
	for _, f := range all {
		titles = append(titles, strings.TrimPrefix(string(f.Severity)+": "+f.Title, ": "))
	}
	return strings.Join(titles, "; ")
}

func TestClientJudges(t *testing.T) {
	offers := func(suites ...uint16) testbed.Attempt {
		return testbed.Attempt{Hello: &endpoint.Hello{CipherSuites: suites, Versions: []uint16{tls.VersionTLS12}}}
	}
	named := func(name string) testbed.Attempt { return testbed.Attempt{Hello: &endpoint.Hello{ServerName: name}} }
	speaks := func(versions ...uint16) testbed.Attempt {
		return testbed.Attempt{Hello: &endpoint.Hello{Versions: versions}}
	}
	faced := func(all ...testbed.Attempt) testbed.Faced { return testbed.Faced{Attempts: all} }
	hello := &endpoint.Hello{}
	closed := testbed.Attempt{Hello: hello, Closed: time.Unix(9, 0)}
	secure := testbed.Attempt{Hello: hello, Secure: &endpoint.State{CipherSuite: 2}}
	shown := testbed.Attempt{Hello: hello, Secure: &endpoint.State{ClientCert: "CN=x"}}
	plain := testbed.Attempt{Bytes: 12, BytesText: "plain: MQTT CONNECT"}
	const aead, cbc, static, rc4, null, scsv = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_RC4_128_SHA, 0x003b, 0x00ff
	for name, c := range map[string]struct {
		got  []check.Finding
		want string
	}{
		"sound":             {judgeCipherOffer(offers(aead, cbc, scsv, 0x1a1a)), ""},
		"TLS 1.3 only":      {judgeCipherOffer(offers(tls.TLS_AES_128_GCM_SHA256)), ""},
		"ECDHE with CCM":    {judgeCipherOffer(offers(0xc0ae)), ""},
		"CBC only":          {judgeCipherOffer(offers(cbc)), "Offers no modern cipher suite"},
		"static beside":     {judgeCipherOffer(offers(aead, static)), "minor: Offers suites without forward secrecy"},
		"RC4 beside":        {judgeCipherOffer(offers(aead, rc4)), "Offers broken cipher suites"},
		"NULL only":         {judgeCipherOffer(offers(null)), "Offers broken cipher suites; Offers no modern cipher suite"},
		"name":              {judgeServerName("broker.x.test", named("Broker.x.test")), ""},
		"no name":           {judgeServerName("broker.x.test", named("")), "Does not say which host it wants"},
		"other name":        {judgeServerName("broker.x.test", named("x.test")), "Asks for another host than it is configured with"},
		"modern":            {judgeVersionOffer(speaks(tls.VersionTLS13, tls.VersionTLS12, 0x7a7a)), ""},
		"old":               {judgeVersionOffer(speaks(tls.VersionTLS12, tls.VersionTLS10)), "minor: Offers TLS versions that are forbidden"},
		"suite refused":     {judgeOffered(faced(closed), "NULL"), ""},
		"suite taken":       {judgeOffered(faced(secure), "NULL"), "Goes on with a handshake after NULL"},
		"no plain":          {judgePlain(faced(closed, closed), "a reset"), ""},
		"plain":             {judgePlain(faced(closed, plain), "a reset"), "Speaks without TLS after a reset"},
		"nothing given":     {judgeNoData([]impostor{{"a", faced(closed)}, {"b", faced(secure)}}), ""},
		"data given":        {judgeNoData([]impostor{{"a", faced(closed)}, {"b", faced(closed, plain)}}), "Gives data to an impostor"},
		"certificate shown": {judgeClientCertificate(faced(shown), true), ""},
		"certificate kept":  {judgeClientCertificate(faced(closed, closed), true), "Does not present its certificate"},
		"none, fails":       {judgeClientCertificate(faced(closed, closed), false), ""},
		"none, hangs":       {judgeClientCertificate(faced(testbed.Attempt{Hello: hello}), false), "Hangs when a certificate is demanded"},
		"credentials counted": {
			judgeNoData([]impostor{{"a", faced(testbed.Attempt{Bytes: 9, Connect: &mqtt.Packet{Connect: &mqtt.Connect{HasPass: true}}})}}),
			"Gives data to an impostor",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(c.got); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
	if _, credentials := loot([]impostor{{"a", faced(testbed.Attempt{Bytes: 9, Connect: &mqtt.Packet{Connect: &mqtt.Connect{HasUser: true, HasPass: true}}})}}); len(credentials) != 2 {
		t.Errorf("credentials %v", credentials)
	}
}

func TestOldSuites(t *testing.T) {
	if got := oldSuites(&endpoint.Hello{CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_256_CBC_SHA}}); got[0] != tls.TLS_RSA_WITH_AES_128_CBC_SHA {
		t.Errorf("with RSA key transport: %v", got)
	}
	if got := oldSuites(&endpoint.Hello{}); got[0] != tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA {
		t.Errorf("without: %v", got)
	}
}
