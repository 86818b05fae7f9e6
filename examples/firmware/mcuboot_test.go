//go:build peers

package firmware

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/mcu"
)

// signing makes a private key with openssl, and gives it with the hash of its public half as MCUboot knows it.
func signing(t *testing.T, algorithm string, options ...string) (file, hash string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "key.pem")
	args := []string{"genpkey", "-algorithm", algorithm, "-out", file}
	for _, o := range options {
		args = append(args, "-pkeyopt", o)
	}
	tool(t, "openssl", args...)
	public := tool(t, "openssl", "pkey", "-in", file, "-pubout", "-outform", "DER")
	if algorithm == "RSA" {
		public = tool(t, "openssl", "rsa", "-in", file, "-RSAPublicKey_out", "-outform", "DER")
	}
	sum := sha256.Sum256(public)
	return file, hex.EncodeToString(sum[:4]) // newt writes no more of it
}

// What Apache Mynewt's library makes is read as it was meant.
func TestMCUbootOfMynewt(t *testing.T) {
	body := make([]byte, 5000)
	rand.NewChaCha8([32]byte{3}).Read(body)
	type spec struct {
		Body       []byte
		Version    string
		Keys       []string
		EncryptFor string
		Hardware   bool
		HeaderSize int
		Loader     []byte
		Section    string
	}
	ec, ecHash := signing(t, "EC", "ec_paramgen_curve:P-256")
	rsa, rsaHash := signing(t, "RSA", "rsa_keygen_bits:2048")
	large, largeHash := signing(t, "RSA", "rsa_keygen_bits:3072")
	edwards, edwardsHash := signing(t, "ED25519")
	public := filepath.Join(t.TempDir(), "public.pem")
	tool(t, "openssl", "pkey", "-in", rsa, "-pubout", "-out", public)
	loader := sha256.Sum256([]byte("the image before"))
	fits := mcu.MCUboot{Version: "1.2.3+4", Hash: "SHA-256", Checked: true, HashFits: true}
	for name, c := range map[string]struct {
		spec spec
		want func(m *mcu.MCUboot)
		code string
	}{
		"not signed":         {spec: spec{}},
		"a long header":      {spec: spec{HeaderSize: 512}},
		"ECDSA":              {spec: spec{Keys: []string{ec}}, want: func(m *mcu.MCUboot) { m.Signatures, m.KeyHash = []string{"ECDSA"}, ecHash }},
		"RSA 2048":           {spec: spec{Keys: []string{rsa}}, want: func(m *mcu.MCUboot) { m.Signatures, m.KeyHash = []string{"RSA 2048"}, rsaHash }},
		"RSA 3072":           {spec: spec{Keys: []string{large}}, want: func(m *mcu.MCUboot) { m.Signatures, m.KeyHash = []string{"RSA 3072"}, largeHash }},
		"Ed25519":            {spec: spec{Keys: []string{edwards}}, want: func(m *mcu.MCUboot) { m.Signatures, m.KeyHash = []string{"Ed25519"}, edwardsHash }},
		"a protected list":   {spec: spec{Section: "text", Keys: []string{ec}}, want: func(m *mcu.MCUboot) { m.Signatures, m.KeyHash = []string{"ECDSA"}, ecHash }},
		"encrypted":          {spec: spec{EncryptFor: public}, want: func(m *mcu.MCUboot) { m.Encrypted, m.Checked, m.HashFits = true, false, false }},
		"encrypted for one":  {spec: spec{Hardware: true}, want: func(m *mcu.MCUboot) { m.Encrypted, m.Checked, m.HashFits = true, false, false }},
		"started by another": {spec: spec{Loader: loader[:]}, want: func(m *mcu.MCUboot) { m.Checked, m.HashFits = false, false }},
	} {
		t.Run(name, func(t *testing.T) {
			c.spec.Body, c.spec.Version = body, "1.2.3.4"
			text, err := json.Marshal(c.spec)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "image")
			tool(t, makers, "mcuboot", "make", stored(t, "spec", text), file)
			data := shipped(t, file)
			root := opened(t, append(data, bytes.Repeat([]byte{0xFF}, 1000)...)) // as it lies in a slot
			if len(root.Children) > 0 && root.Children[0].Format == "mcuboot" {
				root = root.Children[0]
			}
			want := fits
			if c.want != nil {
				c.want(&want)
			}
			if diff := cmp.Diff(root.Info, &want); diff != "" || len(root.Notes) > 0 {
				t.Fatalf("%s %v\n%s", root.Format, root.Notes, diff)
			}
			code, err := root.Children[0].Read(1 << 20)
			if err != nil || len(code) != len(body) || bytes.Equal(code, body) == want.Encrypted {
				t.Errorf("%d bytes of code of %d, %v", len(code), len(body), err)
			}
		})
	}
}

// The images with which Apache Mynewt tests its library are damaged where it says so, and nowhere else.
func TestMynewtImages(t *testing.T) {
	folder := string(bytes.TrimSpace(tool(t, "go", "list", "-C", "../makers", "-m", "-f", "{{.Dir}}", "github.com/apache/mynewt-artifact")))
	block, _ := pem.Decode(tool(t, "openssl", "rsa", "-in", filepath.Join(folder, "image/testdata/sign-key.pem"), "-RSAPublicKey_out"))
	signer := sha256.Sum256(block.Bytes)
	for name, c := range map[string]struct{ signed, encrypted, fits bool }{
		"good-unsigned-unencrypted": {false, false, true},
		"good-signed-unencrypted":   {true, false, true},
		"good-signed-encrypted":     {true, true, false},
		"wrong-enc-key":             {true, true, false},
		"bad-signature":             {true, false, true}, // nobody can tell without the key
		"bad-hash":                  {false, false, false},
		"mismatch-version":          {false, false, true},
	} {
		file := filepath.Join(folder, "image/testdata", name+".img")
		root := opened(t, shipped(t, file))
		version := map[bool]string{false: "1.0.0+0", true: "1.2.3+4"}[c.encrypted]
		m, ok := root.Info.(*mcu.MCUboot)
		if !ok || m.Encrypted != c.encrypted || m.HashFits != c.fits || (len(m.Signatures) > 0) != c.signed || m.Version != version {
			t.Errorf("%s: %s %+v", name, root.Format, root.Info)
			continue
		}
		if c.signed && name != "bad-signature" && m.KeyHash != hex.EncodeToString(signer[:4]) {
			t.Errorf("%s is signed by %s", name, m.KeyHash)
		}
		if checked := m.Checked && !m.HashFits; checked != (len(root.Notes) > 0) {
			t.Errorf("%s: %v", name, root.Notes)
		}
		if !c.encrypted && c.fits {
			tool(t, makers, "mcuboot", "check", file)
		} else {
			refused(t, makers, "mcuboot", "check", file)
		}
	}
	for _, name := range []string{"truncated", "garbage"} {
		file := filepath.Join(folder, "image/testdata", name+".img")
		refused(t, makers, "mcuboot", "check", file)
		if _, ok := opened(t, shipped(t, file)).Info.(*mcu.MCUboot); ok {
			t.Errorf("%s is taken for whole", name)
		}
	}
}
