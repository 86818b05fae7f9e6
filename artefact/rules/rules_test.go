package rules

import (
	"bytes"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/artefact/search"
)

func of(rule *Rule, data []byte) (hits []Hit) {
	for _, h := range Find(data) {
		if h.Rule == rule {
			hits = append(hits, h)
		}
	}
	return hits
}

func TestExamples(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range All() {
		if ids[r.ID] || r.What == "" || r.Why == "" || r.Kind == "" {
			t.Errorf("rule %q is there twice, or does not say what it finds and why", r.ID)
		}
		ids[r.ID] = true
		if len(r.Match) == 0 || len(r.Free) == 0 {
			t.Errorf("%s: no examples of what it finds, or of what it does not", r.ID)
		}
		for _, text := range r.Match {
			text = strings.ReplaceAll(text, "¦", "")
			for name, data := range map[string][]byte{
				"alone": []byte(text), "among zeros": []byte("\x00\x00\x00" + text + "\x00\x00"),
				"in UTF-16": []byte(search.Wide(text)), "at an odd place": []byte("x" + search.Wide(text)),
			} {
				hits := of(r, data)
				if len(hits) == 0 {
					t.Errorf("%s: nothing is found in %q, %s", r.ID, text, name)
					continue
				}
				got := data[hits[0].Offset:hits[0].End]
				if strings.HasPrefix(name, "in") || strings.HasPrefix(name, "at") {
					got = search.Narrow(got)
				}
				if string(got) != hits[0].Secret {
					t.Errorf("%s, %s: %q is said to lie where %q lies", r.ID, name, hits[0].Secret, got)
				}
			}
		}
		for _, text := range r.Free {
			text = strings.ReplaceAll(text, "¦", "")
			if hits := of(r, []byte(text)); len(hits) > 0 {
				t.Errorf("%s: %q is found in %q", r.ID, hits[0].Secret, text)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"- {id: a, pattern: '('}":                                                   "missing closing",
		"- {id: a, pattern: a, validator: none}":                                    "no validator",
		"- {id: a, pattern: a, validator: random, keywords: [abc]}":                 "shorter than four",
		"- {id: a, patern: a}":                                                      "patern",
		"- {id: a, pattern: a, validator: random, keywords: [abcd], what: a token}": "",
	} {
		_, err := parse([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestRedact(t *testing.T) {
	for secret, want := range map[string]string{
		"ghp_0123456789": "ghp_… (14 characters)", "short": "… (5 characters)", "tab\tbed and more": "tab?… (16 characters)",
	} {
		if got := Redact(secret); got != want {
			t.Errorf("%q: %q, want %q", secret, got, want)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, r := range All() {
		for _, text := range append(r.Match, r.Free...) {
			f.Add([]byte(strings.ReplaceAll(text, "¦", "")))
			f.Add([]byte(search.Wide(text)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		for _, h := range Find(data) {
			if h.Offset < 0 || h.End > len(data) || h.Offset >= h.End || h.Secret == "" {
				t.Errorf("%s at %d to %d of %d bytes", h.Rule.ID, h.Offset, h.End, len(data))
			}
			_ = Redact(h.Secret)
		}
		if !bytes.Equal(before, data) {
			t.Error("the data were changed")
		}
	})
}
