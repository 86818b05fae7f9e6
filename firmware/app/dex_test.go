package app

import "testing"

func TestModifiedUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"http://plain": "http://plain", "é温": "é温", "a\xC0\x80b": "a\x00b", "\xED\xA0\xBD\xED\xB8\x80!": "😀!", "\xED\xA0\xBD": "\uFFFD", "\xED\xA0\xBDx": "\uFFFDx", "\xC3": "\uFFFD", "\xE6\xB8": "\uFFFD",
	} {
		if got := fromModified([]byte(in)); got != want {
			t.Errorf("%q is read as %q, not %q", in, got, want)
		}
	}
}
