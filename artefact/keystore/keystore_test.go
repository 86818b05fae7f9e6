package keystore

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// jks is a store of a trusted certificate "ca" and a key "me" with a chain of one.
var jks = unhex("feedfeed00000002 00000002" +
	"00000002 0002 6361 0000000000000000 0005 582e353039 00000003 aabbcc" +
	"00000001 0002 6d65 0000000000000000 00000004 01020304 00000001 0005 582e353039 00000002 aabb" +
	strings.Repeat("00", 20))

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func TestParse(t *testing.T) {
	s := Parse(jks)
	if s == nil || s.Kind != "JKS" || !slices.Equal(s.Aliases, []string{"ca", "me"}) {
		t.Errorf("a JKS is %+v", s)
	}
	p12 := unhex("3082 0400 020103 3082 03c0 0609 2a864886f70d010701 a0820300 04820300")
	if s := Parse(p12); s == nil || s.Kind != "PKCS #12" || s.Encrypted {
		t.Errorf("a PKCS #12 is %+v", s)
	}
	if s := Parse(append(p12, unhex("0609 2a864886f70d010706")...)); s == nil || !s.Encrypted {
		t.Errorf("an encrypted PKCS #12 is %+v", s)
	}
	for name, data := range map[string][]byte{
		"text":             []byte("a text that is no store"),
		"an empty store":   unhex("feedfeed 00000002 00000000 00000000"),
		"another version":  unhex("feedfeed 00000009 00000001 00000000"),
		"lies of its size": unhex("feedfeed 00000002 ffffffff 00000000"),
		"a certificate":    unhex("3082 0400 3082 03c0 a003 020102 0201 0130 0d06"),
	} {
		if s := Parse(data); s != nil && len(s.Aliases) > 0 || s != nil && s.Kind != "JKS" {
			t.Errorf("%s is %+v", name, s)
		}
	}
	for n := range jks {
		Parse(jks[:n])
	}
}

func FuzzParse(f *testing.F) {
	f.Add(jks)
	f.Fuzz(func(t *testing.T, data []byte) {
		if s := Parse(data); s != nil && len(s.Aliases) > len(data) {
			t.Errorf("%d entries in %d bytes", len(s.Aliases), len(data))
		}
	})
}
