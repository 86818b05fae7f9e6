package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"nothing to see":                                                     "nothing to see",
		"a token of gratitude, passing by":                                   "a token of gratitude, passing by",
		`{"password":"my long one","n":1}`:                                   `{"password":"[redacted]","n":1}`,
		`{\"Password\": \"hunter22\"}`:                                       `{\"Password\": \"[redacted]\"}`,
		"wifi_psk=12345678&x=1":                                              "wifi_psk=[redacted]&x=1",
		"Authorization: Bearer abc.def-12345":                                "Authorization: Bearer [redacted]",
		"https://user:secret1@host/path":                                     "https://user:[redacted]host/path",
		"eyJhbGciOiJI.eyJzdWIiOiIx.c2ln":                                     "[redacted]",
		"-----BEGIN EC PRIVATE KEY-----\nMHcCAQ":                             "[redacted]",
		"-----BEGIN PRIVATE KEY-----\nMHcC\n-----END PRIVATE KEY----- after": "[redacted] after",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q)\n got %q\nwant %q", in, got, want)
		}
		if got := Redact(Redact(in)); got != Redact(in) {
			t.Errorf("%q changes when it is redacted twice: %q", in, got)
		}
	}
}

// TestLogStaysReadable writes events with secrets in every place and reads the lines back: each is JSON, none has the secret.
func TestLogStaysReadable(t *testing.T) {
	const secret = "hunter22"
	pem := "-----BEGIN PRIVATE KEY-----\n" + secret // cut off: no end
	var out bytes.Buffer
	log := NewLog(func() time.Time { return noon }, &out, false)
	events := []Event{
		{Kind: Console, Text: pem},
		{Kind: Console, Text: `{"password":"` + secret + `"}`},
		{Kind: In, Data: map[string]any{"payload": pem, "type": "PUBLISH"}},
		{Kind: In, Data: map[string]any{"payload": `{"token":"` + secret + ` more"}`}, Hex: hex.EncodeToString([]byte(secret))},
		{Kind: In, Data: struct {
			Password any `json:"password"`
			List     []map[string]any
		}{[]string{secret}, []map[string]any{{"psk": secret, "has_password": true}}}},
		{Kind: Bytes, Hex: hex.EncodeToString([]byte("password=" + secret))},
	}
	for _, e := range events {
		log.Add(e)
	}
	ok(t, log.Close())
	text := out.String()
	if strings.Contains(text, secret) || strings.Contains(text, hex.EncodeToString([]byte(secret))) {
		t.Errorf("a secret was written:\n%s", text)
	}
	if !strings.Contains(text, `"has_password":true`) {
		t.Error("a flag was blanked")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(events) {
		t.Fatalf("%d lines, want %d", len(lines), len(events))
	}
	for _, line := range lines {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("not JSON: %v\n%s", err, line)
		}
	}
	if e := log.Since(0)[1]; !strings.Contains(e.Text, secret) {
		t.Error("a check must see what the part really said")
	}
}

func TestProductCopy(t *testing.T) {
	for _, c := range []struct {
		src     string
		keep    bool
		want    string
		blanked bool
	}{
		{"product: lamp\n", false, "product: lamp\n", false},
		{"password: hunter22\n", false, "password: [redacted]\n", true},
		{"  - password: my own\n    id: a\n", false, "  - password: [redacted]\n    id: a\n", true},
		{"env: {TOKEN: hunter22, A: b}\n", false, "env: {TOKEN: [redacted], A: b}\n", true},
		{"password: hunter22\n", true, "password: hunter22\n", false},
	} {
		plan := twoJobs()
		plan.KeepSecrets = c.keep
		r, _ := newTestRun(t, plan)
		ok(t, r.KeepProduct([]byte(c.src)))
		got, err := r.Product()
		if string(got) != c.want || errors.Is(err, ErrBlanked) != c.blanked {
			t.Errorf("%q: %q, %v", c.src, got, err)
		}
	}
}

// FuzzRedact holds that what the quick look passes over matches no secret, and that what is written is JSON.
func FuzzRedact(f *testing.F) {
	f.Add(`{"passwd":"x"}`)
	f.Add("-----BEGIN PRIVATE KEY-----")
	f.Add("BASIC abcdefghij")
	f.Add("ſecret=12345") // folds to an s in Unicode, not in ASCII
	f.Fuzz(func(t *testing.T, s string) {
		if !suspicious(s) {
			for _, re := range secrets {
				if re.MatchString(s) {
					t.Errorf("%q is passed over and matches %s", s, re)
				}
			}
		}
		data, _, err := redactData(map[string]any{"text": s, s: s})
		if err != nil || !json.Valid(data) {
			t.Errorf("%q: %v, %s", s, err, data)
		}
	})
}

func BenchmarkLogWrite(b *testing.B) {
	log := NewLog(func() time.Time { return noon }, &bytes.Buffer{}, false)
	e := Event{Kind: In, Text: "PUBLISH thermostat/shakedown-1/telemetry", Data: map[string]any{"topic": "thermostat/shakedown-1/telemetry", "payload": `{"seq":12,"t":215}`}, Hex: strings.Repeat("30", 64)}
	for b.Loop() {
		if err := log.write(e); err != nil {
			b.Fatal(err)
		}
	}
}
