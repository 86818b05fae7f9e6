package keys

import (
	"bytes"
	"crypto/x509"
	_ "embed"
	"encoding/csv"
	"sync"
)

//go:embed testkeys.csv
var testKeys []byte

// public are the fingerprints of keys of which everybody has the private half: by what the fingerprint is of (key, certificate, or speed
// for keys that programs measure with and that protect nothing), and by fingerprint.
var public = sync.OnceValue(func() map[string]map[string]string {
	rows, err := csv.NewReader(bytes.NewReader(testKeys)).ReadAll()
	if err != nil {
		panic("keys: testkeys.csv: " + err.Error()) // the program's own data
	}
	all := map[string]map[string]string{"key": {}, "certificate": {}, "speed": {}}
	for _, r := range rows[1:] {
		all[r[1]][r[0]] = r[2]
	}
	return all
})

// Known says what a key is called of which everybody has the private half; empty: it is none of those that are known.
func (k *Key) Known() string {
	return public()["key"][k.Fingerprint()]
}

// Harmless says whether a key is one by which a program measures how fast it is: OpenSSL has seven of them.
func (k *Key) Harmless() bool { return public()["speed"][k.Fingerprint()] != "" }

// KnownCertificate says the same of the key of a certificate.
func KnownCertificate(c *x509.Certificate) string {
	if what := public()["certificate"][digest(c.Raw)]; what != "" {
		return what
	}
	return OfCertificate(c).Known()
}
