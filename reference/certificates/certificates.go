// Package certificates holds those of the reference product: the roots that the thermostat trusts, its own, and what the server of its
// updates sends. All but those of the server follow from their names and are the same in every build.
package certificates

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/shakedown-test/shakedown/world/pki"
)

// The names of what is used in more than one place.
const (
	Root     = "Reference Root X1" // of the server's certificate
	Next     = "Reference Root X2" // promised for later
	Old      = "Reference Root X0" // ends before the support does, and nothing needs it
	Servers  = "Reference Servers R1"
	Devices  = "Reference Devices"
	Host     = "updates.reference.test"
	supports = 2034 // the year in which the support ends
)

func day(year int, month time.Month) time.Time {
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

// must is for what cannot fail: names and dates are constants.
func must(f *pki.Fixed, err error) *pki.Fixed {
	if err != nil {
		panic(fmt.Sprintf("certificates of the reference product: %v", err))
	}
	return f
}

func authority(by *pki.Fixed, name string, from, to time.Time) *pki.Fixed {
	return must(pki.FixedAuthority(by, name, from, to))
}

func root() *pki.Fixed { return authority(nil, Root, day(2025, 1), day(2050, 1)) }
func old() *pki.Fixed  { return authority(nil, Old, day(2011, 1), day(2031, 1)) }
func next() *pki.Fixed { return authority(nil, Next, day(2026, 1), day(2051, 1)) }

// Store is the file of roots that the thermostat trusts.
func Store() string { return root().PEM() + next().PEM() + old().PEM() }

// StoreWithoutRoot is one that lacks the root of the server's certificate.
func StoreWithoutRoot() string {
	return next().PEM() + authority(nil, "Reference Root X3", day(2026, 1), day(2051, 1)).PEM() + old().PEM()
}

// ShortStore is one in which that root ends before the support does.
func ShortStore() string {
	return authority(nil, Root, day(2025, 1), day(supports-4, 1)).PEM() + next().PEM() + old().PEM()
}

// Pins are the keys that the thermostat accepts for its updates, in its order.
func Pins() []string { return []string{pin(root()), pin(next())} }

// IntermediatePins are those of the authority that issued the server's certificate, and of its successor.
func IntermediatePins() []string {
	return []string{pin(servers(root())), pin(authority(root(), "Reference Servers R2", day(2026, 1), day(2050, 1)))}
}

func pin(f *pki.Fixed) string {
	sum := sha256.Sum256(f.Cert.RawSubjectPublicKeyInfo)
	return "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
}

// Client is the certificate with which a batch of thermostats says who it is.
func Client() string { return client(day(2026, 9), day(2056, 9), nil) }

// EndedClient is one that has ended, ShortClient one that ends before the support does, WeakClient one whose key is too short, ClientAuthority
// one that may issue others, with its private key.
func EndedClient() string { return client(day(2021, 6), day(2026, 6), nil) }

// ShortClient is described at EndedClient.
func ShortClient() string { return client(day(2026, 9), day(2030, 9), nil) }

// WeakClient is described at EndedClient.
func WeakClient() string {
	return client(day(2026, 9), day(2056, 9), func(c *x509.Certificate) {
		a, b := sha512.Sum512([]byte("shakedown 1")), sha512.Sum512([]byte("shakedown 2"))
		n := new(big.Int).SetBytes(append(a[:], b[:]...)) // nobody has the key to it
		c.PublicKey = &rsa.PublicKey{N: n.SetBit(n.SetBit(n, 1023, 1), 0, 1), E: 65537}
	})
}

// ClientAuthority is described at EndedClient.
func ClientAuthority() string {
	f := thermostat(day(2026, 9), day(2056, 9), func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign })
	der, err := x509.MarshalECPrivateKey(f.Key())
	if err != nil {
		panic(fmt.Sprintf("certificates of the reference product: %v", err))
	}
	return f.PEM() + string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func client(from, to time.Time, edit func(*x509.Certificate)) string {
	return thermostat(from, to, edit).PEM()
}

func thermostat(from, to time.Time, edit func(*x509.Certificate)) *pki.Fixed {
	devices := authority(nil, Devices, day(2021, 1), day(2061, 1))
	return must(pki.FixedHolder(devices, "thermostat batch 7", from, to, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		if edit != nil {
			edit(c)
		}
	}))
}

// Example is the certificate in a manual, which has ended long ago.
func Example() string {
	by := authority(nil, "Manual Authority", day(2010, 1), day(2015, 1))
	return must(pki.FixedHolder(by, "www.manual.test", day(2010, 1), day(2012, 1), nil)).PEM()
}
