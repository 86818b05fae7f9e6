package artefact

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/product"
)

// TestRecall plants a token and a private key where scanners of sources do not look: 12 of 12 must be found.
func TestRecall(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.Join([]string{"gh", "p_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz"}, "") // not whole in this program
	planted := joined([]byte("token = "+token+"\n"), pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	noise := make([]byte, 200_000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	header := joined([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57))
	for name, data := range map[string][]byte{
		"notes.txt":    planted,
		"disk.img":     joined(make([]byte, 4096), planted, make([]byte, 4096)),
		"firmware.bin": joined([]byte("\x00\x20\x00\x20\x99\x01\x00\x08"), planted, []byte{0xff, 0xff}),
		"header.elf":   joined(header, planted),
		"program":      joined(program, planted),
		"random":       joined(noise, planted),
	} {
		f, err := Examine(t.Context(), Source{Role: product.Firmware, File: name, Data: io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))})
		if err != nil {
			t.Fatal(err)
		}
		tokens, private := 0, 0
		for _, s := range f.Secrets {
			if s.Value == token {
				tokens++
			}
		}
		for _, k := range f.PrivateKeys {
			if k.Key != nil && k.Key.N != nil && k.Key.N.Cmp(key.N) == 0 {
				private++
			}
		}
		if tokens != 1 || private != 1 {
			t.Errorf("%s: the token is found %d times and the key %d times, want once each", name, tokens, private)
		}
		f.Close()
	}
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestStretches plants a key and a token across the end of a stretch: each is found once.
func TestStretches(t *testing.T) {
	token := []byte("gh\x00p_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz")
	token[2] = 'p'
	token = append(token[:3], token[4:]...)
	for _, before := range []int{20, 40} {
		data := make([]byte, stretch+overlap)
		copy(data[stretch-before:], token)
		f, err := Examine(t.Context(), Source{Role: product.Firmware, File: "a.bin", Data: io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))})
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Secrets) != 1 || f.Secrets[0].Offset != int64(stretch-before) {
			t.Errorf("%d bytes before the end: %+v", before, f.Secrets)
		}
		f.Close()
	}
}
