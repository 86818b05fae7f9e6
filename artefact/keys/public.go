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

// public are the fingerprints of keys of which everybody has the private half, of keys and of certificates.
var public = sync.OnceValues(func() (key, certificate map[string]string) {
	rows, err := csv.NewReader(bytes.NewReader(testKeys)).ReadAll()
	if err != nil {
		panic("keys: testkeys.csv: " + err.Error()) // the program's own data
	}
	key, certificate = map[string]string{}, map[string]string{}
	for _, r := range rows[1:] {
		if r[1] == "key" {
			key[r[0]] = r[2]
		} else {
			certificate[r[0]] = r[2]
		}
	}
	return key, certificate
})

// Known says what a key is called of which everybody has the private half; empty: it is none of those that are known.
func (k *Key) Known() string {
	keys, _ := public()
	return keys[k.Fingerprint()]
}

// KnownCertificate says the same of the key of a certificate.
func KnownCertificate(c *x509.Certificate) string {
	_, certificates := public()
	if what := certificates[digest(c.Raw)]; what != "" {
		return what
	}
	return OfCertificate(c).Known()
}
