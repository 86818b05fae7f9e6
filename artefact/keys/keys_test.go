package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// made are keys of all kinds, made once.
var made = func() (m struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
},
) {
	var err error
	if m.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	if m.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	_, m.ed, _ = ed25519.GenerateKey(rand.Reader)
	return m
}()

func pkcs8(t testing.TB, k crypto.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func sec1(t testing.TB, k *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func armour(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func openSSH(t testing.TB, k crypto.PrivateKey, pass string) []byte {
	block, err := ssh.MarshalPrivateKey(k, "")
	if pass != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(k, "", []byte(pass))
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}

func certificate(t testing.TB, k crypto.Signer) []byte {
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "reference"}, NotAfter: time.Unix(1<<31, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// dropbear writes a host key as dropbearkey does.
func dropbear(fields ...any) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		var v []byte
		switch f := f.(type) {
		case string:
			v = []byte(f)
		case []byte:
			v = f
		case *big.Int:
			if v = f.Bytes(); v[0] >= 0x80 {
				v = append([]byte{0}, v...)
			}
		}
		b.Write([]byte{0, 0, byte(len(v) >> 8), byte(len(v))})
		b.Write(v)
	}
	return b.Bytes()
}

func dropbearRSA() []byte {
	return dropbear("ssh-rsa", big.NewInt(int64(made.rsa.E)), made.rsa.N, made.rsa.D, made.rsa.Primes[0], made.rsa.Primes[1])
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func TestFindPrivate(t *testing.T) {
	legacy := armour("RSA PRIVATE KEY", noise(1192))
	legacy = bytes.Replace(legacy, []byte("-----\n"), []byte("-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"), 1)
	inProgram := bytes.ReplaceAll(armour("EC PRIVATE KEY", sec1(t, made.ec)), []byte("\n"), []byte(`\n`))
	point, err := made.ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := made.ec.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
		of   crypto.Signer // nil: encrypted
	}{
		"PKCS #1 PEM":          {armour("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(made.rsa)), "RSA 2048 private key (PEM)", made.rsa},
		"PKCS #8 PEM of RSA":   {armour("PRIVATE KEY", pkcs8(t, made.rsa)), "RSA 2048 private key (PEM)", made.rsa},
		"SEC 1 PEM":            {armour("EC PRIVATE KEY", sec1(t, made.ec)), "EC P-256 private key (PEM)", made.ec},
		"PEM in a program":     {inProgram, "EC P-256 private key (PEM)", made.ec},
		"PEM in UTF-16":        {[]byte(search.Wide(string(armour("PRIVATE KEY", pkcs8(t, made.ed))))), "Ed25519 private key (PEM)", made.ed},
		"PKCS #8 PEM of EC":    {armour("PRIVATE KEY", pkcs8(t, made.ec)), "EC P-256 private key (PEM)", made.ec},
		"PKCS #1 DER":          {x509.MarshalPKCS1PrivateKey(made.rsa), "RSA 2048 private key (DER)", made.rsa},
		"PKCS #8 DER of RSA":   {pkcs8(t, made.rsa), "RSA 2048 private key (DER)", made.rsa},
		"SEC 1 DER":            {sec1(t, made.ec), "EC P-256 private key (DER)", made.ec},
		"PKCS #8 DER of EC":    {pkcs8(t, made.ec), "EC P-256 private key (DER)", made.ec},
		"PKCS #8 DER, Ed25519": {pkcs8(t, made.ed), "Ed25519 private key (DER)", made.ed},
		"base64 of PKCS #1":    {[]byte("key=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(made.rsa)) + "\x00"), "RSA 2048 private key (base64)", made.rsa},
		"base64 of PKCS #8":    {[]byte(base64.StdEncoding.EncodeToString(pkcs8(t, made.ec)) + "\""), "EC P-256 private key (base64)", made.ec},
		"OpenSSH RSA":          {openSSH(t, made.rsa, ""), "RSA 2048 private key (OpenSSH)", made.rsa},
		"OpenSSH EC":           {openSSH(t, made.ec, ""), "EC P-256 private key (OpenSSH)", made.ec},
		"OpenSSH Ed25519":      {openSSH(t, &made.ed, ""), "Ed25519 private key (OpenSSH)", made.ed},
		"Dropbear RSA":         {dropbearRSA(), "RSA 2048 private key (Dropbear)", made.rsa},
		"Dropbear EC":          {dropbear("ecdsa-sha2-nistp256", "nistp256", point, new(big.Int).SetBytes(scalar)), "EC P-256 private key (Dropbear)", made.ec},
		"Dropbear Ed25519":     {dropbear("ssh-ed25519", []byte(made.ed)), "Ed25519 private key (Dropbear)", made.ed},
		"encrypted OpenSSH":    {openSSH(t, made.ec, "word"), "encrypted private key (OpenSSH)", nil},
		"encrypted PEM":        {legacy, "encrypted private key (PEM)", nil},
	} {
		data := append(append(noise(777), c.data...), noise(99)...)
		items := Find(data)
		if len(items) != 1 || items[0].Private == nil {
			t.Errorf("%s: %d items are found, want one private key: %+v", name, len(items), items)
			continue
		}
		p := items[0].Private
		if p.String() != c.want || p.Encrypted != (c.of == nil) {
			t.Errorf("%s: %s, want %s", name, p, c.want)
		}
		if items[0].Offset < 777-4 || items[0].Offset > 781 {
			t.Errorf("%s: it lies at %d, want 777", name, items[0].Offset)
		}
		if c.of == nil {
			continue
		}
		if spki, _ := x509.MarshalPKIXPublicKey(c.of.Public()); !bytes.Equal(spki, p.Key.SPKI) {
			t.Errorf("%s: another public key", name)
		}
	}
}

func TestFindPublic(t *testing.T) {
	rsaSPKI, _ := x509.MarshalPKIXPublicKey(made.rsa.Public())
	ecSPKI, _ := x509.MarshalPKIXPublicKey(made.ec.Public())
	edSPKI, _ := x509.MarshalPKIXPublicKey(made.ed.Public())
	line, err := ssh.NewPublicKey(made.ec.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data, spki []byte
	}{
		"RSA":           {rsaSPKI, rsaSPKI},
		"RSA alone":     {x509.MarshalPKCS1PublicKey(&made.rsa.PublicKey), rsaSPKI},
		"EC":            {ecSPKI, ecSPKI},
		"Ed25519":       {edSPKI, edSPKI},
		"PEM":           {armour("PUBLIC KEY", ecSPKI), ecSPKI},
		"PKCS #1 PEM":   {armour("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&made.rsa.PublicKey)), rsaSPKI},
		"a line of SSH": {ssh.MarshalAuthorizedKey(line), ecSPKI},
	} {
		items := Find(append(append(noise(500), c.data...), "\n and more"...))
		if len(items) != 1 || items[0].Public == nil || !bytes.Equal(items[0].Public.Key.SPKI, c.spki) {
			t.Errorf("%s: %+v", name, items)
		}
	}
}

func TestFindCertificates(t *testing.T) {
	for _, k := range []crypto.Signer{made.rsa, made.ec, made.ed} {
		der := certificate(t, k)
		for _, data := range [][]byte{der, armour("CERTIFICATE", der), []byte(search.Wide(string(armour("CERTIFICATE", der))))} {
			items := Find(append(append(noise(500), data...), noise(500)...))
			if len(items) != 1 || items[0].Cert == nil || !bytes.Equal(items[0].Cert.Raw, der) {
				t.Errorf("of %T: %d items", k, len(items))
			}
		}
	}
}

// TestFindNothing holds what looks like keys and is none.
func TestFindNothing(t *testing.T) {
	broken := x509.MarshalPKCS1PrivateKey(made.rsa)
	broken[100] ^= 1
	public := ssh.MarshalAuthorizedKey(func() ssh.PublicKey { k, _ := ssh.NewPublicKey(made.rsa.Public()); return k }())
	blob, _ := base64.StdEncoding.DecodeString(strings.Fields(string(public))[1])
	for name, data := range map[string][]byte{
		"marks in a parser":     []byte("-----BEGIN RSA PRIVATE KEY-----\x00-----END RSA PRIVATE KEY-----\x00-----BEGIN CERTIFICATE-----\x00-----END CERTIFICATE-----\x00"),
		"an example":            []byte("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC...\n-----END PRIVATE KEY-----\n"),
		"words":                 []byte("-----BEGIN RSA PRIVATE KEY-----\nyour key goes here\n-----END RSA PRIVATE KEY-----\n"),
		"a key that is broken":  broken,
		"its PEM":               armour("RSA PRIVATE KEY", broken),
		"a public key of SSH":   blob,
		"the head of a key":     x509.MarshalPKCS1PrivateKey(made.rsa)[:700],
		"a template":            append([]byte("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"), make([]byte, 32)...),
		"another name of a key": []byte("-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA\n-----END DH PARAMETERS-----\n"),
	} {
		for _, i := range Find(data) {
			if i.Public == nil {
				t.Errorf("%s: %+v is found", name, i)
			}
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, seed := range [][]byte{
		armour("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(made.rsa)), pkcs8(f, made.ec), sec1(f, made.ec), pkcs8(f, made.ed),
		openSSH(f, made.ec, ""), openSSH(f, made.ec, "word"), dropbearRSA(), certificate(f, made.ec),
		[]byte(base64.StdEncoding.EncodeToString(pkcs8(f, made.ec))), []byte(search.Wide(string(armour("PRIVATE KEY", pkcs8(f, made.ed))))),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, i := range Find(data) {
			if i.Offset < 0 || i.End > int64(len(data)) || i.Offset >= i.End {
				t.Errorf("an item at %d to %d of %d bytes", i.Offset, i.End, len(data))
			}
			if (i.Private != nil && i.Private.Key == nil) != (i.Private != nil && i.Private.Encrypted) {
				t.Errorf("no key, and not encrypted: %+v", i)
			}
		}
	})
}
