package pins

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/shakedown-test/shakedown/artefact/search"
)

func pin(key string) string {
	d := sha256.Sum256([]byte(key))
	return base64.StdEncoding.EncodeToString(d[:])
}

func TestFind(t *testing.T) {
	one, two := pin("one"), pin("two")
	for name, c := range map[string]struct {
		file, text string
		want       []string
	}{
		"OkHttp":            {"classes.dex", "x\x00\x33sha256/" + one + "\x00\x33sha256/" + two + "\x00", []string{one, two}},
		"curl":              {"", "--pinnedpubkey 'sha256//" + one + ";sha256//" + two + "'", []string{one, two}},
		"Android, text":     {"res/xml/net.xml", `<pin-set><pin digest="SHA-256">` + one + `</pin><pin digest="SHA-256">` + two + `</pin></pin-set>`, []string{one, two}},
		"Android, UTF-8":    {"res/xml/net.xml", "\x07\x07pin-set\x00\x2c\x2c" + one + "\x00", []string{one}},
		"a length is A":     {"res/xml/net.xml", "pin-set A" + one, []string{one}},
		"Android, UTF-16":   {"res/xml/net.xml", search.Wide("\x07pin-set") + "\x00\x00\x2c\x00" + search.Wide(one) + "\x00\x00", []string{one}},
		"TrustKit":          {"Info.plist", "TSKPublicKeyHashes\x5f\x10\x2c" + one, []string{one}},
		"an XML without":    {"layout.xml", "<a>" + one + "</a>", nil},
		"a digest of files": {"", "sha256:" + one, nil},
		"too long":          {"", "sha256/" + one + "A", nil},
		"an example":        {"", "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", nil},
		"cut off":           {"", "sha256/" + one[:40], nil},
		"in hex":            {"", "sha256/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", nil},
	} {
		var got []string
		for _, p := range Find(c.file, []byte(c.text)) {
			got = append(got, base64.StdEncoding.EncodeToString(p.Digest[:]))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("a.xml", []byte("pin-set"+pin("x")))
	f.Add("", []byte("sha256/"+pin("x")))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		found := Find(name, data)
		for _, p := range found {
			if p.Offset < 0 || p.Offset > int64(len(data)) {
				t.Errorf("offset %d of %d", p.Offset, len(data))
			}
		}
		if len(found) > most {
			t.Error(len(found))
		}
	})
}
