package payload

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"testing"
)

var example = Stamp{Run: 0xdeadbeef, Source: 70000, Seq: 1<<32 - 1, Tenant: 12, Due: 1_764_140_852_123_456}

func TestStamp(t *testing.T) {
	for _, s := range []Stamp{{}, example, {Due: 1<<56 - 1}, {Run: 1, Source: 2, Seq: 3, Tenant: 4, Due: 5}} {
		text := AppendStamp([]byte("{\""), s)[2:]
		if len(text) != StampSize {
			t.Errorf("%d bytes, want %d", len(text), StampSize)
		}
		if got := url.PathEscape(string(text)); got != string(text) {
			t.Errorf("%s is %s in a URL", text, got)
		}
		if got, err := json.Marshal(string(text)); err != nil || string(got) != `"`+string(text)+`"` {
			t.Errorf("%s is %s in JSON", text, got)
		}
		for _, around := range []string{"", "~", "~sd~", "~sd", "x~sd~~sd~x"} {
			got, ok := FindStamp(append([]byte(around), append(text, around...)...))
			if !ok || got != s {
				t.Errorf("%+v among %q became %+v, %v", s, around, got, ok)
			}
		}
	}
}

// TestStampDamaged changes, drops and adds every sign of a stamp: none of it passes as one.
func TestStampDamaged(t *testing.T) {
	text := AppendStamp(nil, example)
	for i := range text {
		for _, c := range []byte("A~z-0") {
			damaged := bytes.Clone(text)
			damaged[i] = c
			if s, ok := FindStamp(damaged); ok && c != text[i] {
				t.Errorf("%s passes as %+v", damaged, s)
			}
		}
		for _, damaged := range [][]byte{text[:i], append(bytes.Clone(text[:i]), text[i+1:]...), append(append(bytes.Clone(text[:i]), '_'), text[i:]...)} {
			if s, ok := FindStamp(damaged); ok && i > 0 && i < len(text) {
				t.Errorf("%s passes as %+v", damaged, s)
			}
		}
	}
}

func TestFindStamps(t *testing.T) {
	other := example
	other.Tenant = 13
	body := []byte(`[{"a":"`)
	body = AppendStamp(body, example)
	body = append(body, `"},"~sd~`...)
	body = AppendStamp(body, other)
	body = AppendStamp(body, example)
	body = append(body, "~sd~AAAA"...)
	if got := slices.Collect(FindStamps(body)); !slices.Equal(got, []Stamp{example, other, example}) {
		t.Errorf("found %+v", got)
	}
	for s := range FindStamps(body) {
		if s != example {
			t.Errorf("first is %+v", s)
		}
		break
	}
}

func TestFindCanaries(t *testing.T) {
	a, b := Canary{7, 1}, Canary{7, 2}
	body := AppendCanary([]byte("~ca~"), a)
	if len(body) != 4+CanarySize {
		t.Errorf("%d bytes", len(body)-4)
	}
	body = AppendCanary(append(body, `","`...), b)
	if got := Marked(append([]byte("no mark "), body...)); !bytes.Equal(got, body) || Marked([]byte(filling)) != nil || Marked(AppendStamp(nil, example)) == nil {
		t.Errorf("marked from %q", got)
	}
	body = append(AppendStamp(body, example), AppendCanary(nil, a)[:CanarySize-1]...)
	if got := slices.Collect(FindCanaries(body)); !slices.Equal(got, []Canary{a, b}) {
		t.Errorf("found %+v", got)
	}
	body[len("~ca~")+6]++
	if got := slices.Collect(FindCanaries(body)); !slices.Equal(got, []Canary{b}) {
		t.Errorf("found %+v in a damaged one", got)
	}
}

func FuzzFindStamp(f *testing.F) {
	text := AppendStamp(nil, example)
	f.Add([]byte(nil), []byte(nil), uint32(0), int64(0))
	f.Add([]byte("~sd~"), text[:20], uint32(1), int64(1))
	f.Add(AppendCanary(nil, Canary{}), text, uint32(9), int64(1)<<55)
	f.Fuzz(func(t *testing.T, before, after []byte, n uint32, due int64) {
		found := 0
		for s := range FindStamps(before) {
			if !bytes.Contains(before, AppendStamp(nil, s)) {
				t.Fatalf("%+v is not in %q", s, before)
			}
			if found++; found > len(before)/StampSize {
				t.Fatal("more than can be")
			}
		}
		for c := range FindCanaries(before) {
			if !bytes.Contains(before, AppendCanary(nil, c)) {
				t.Fatalf("%+v is not in %q", c, before)
			}
		}
		s := Stamp{Run: n, Source: ^n, Seq: n * 3, Tenant: n >> 3, Due: due & (1<<56 - 1)}
		body := append(AppendStamp(bytes.Clone(before), s), after...)
		if !slices.Contains(slices.Collect(FindStamps(body)), s) {
			t.Fatalf("%+v is not found in %q", s, body)
		}
	})
}

func BenchmarkFindStamp(b *testing.B) {
	body := append(bytes.Repeat([]byte("a"), 60), AppendStamp(nil, example)...)
	body = append(body, bytes.Repeat([]byte("b"), 128-len(body))...)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := FindStamp(body); !ok {
			b.Fatal("not found")
		}
	}
}
