package product

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

var known = Known{
	Checks:       []string{"fault.reconnect-backoff", "protocol.keep-alive", "security.tls-hostname"},
	Risks:        []string{"protocol", "fault", "security"},
	Drivers:      []string{"process", "external", "human", "exec", "file", "endpoint", "reference"},
	Requirements: []string{"EN303645:5.2-1", "EN303645:5.3-13"},

	Profiles: []string{"lte-m", "geo-satellite"},
}

func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(filepath.Base(file), src, known)
			if _, ok := errors.AsType[*Mistakes](err); !ok {
				t.Fatalf("got %v, want mistakes", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", []byte(err.Error()+"\n"))
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestLoad(t *testing.T) {
	src, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load("full.yaml", src, known)
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) Date { d, _ := time.Parse(time.DateOnly, s); return Date{d} }
	want := &Product{
		Name:   "Garden sensor",
		Launch: day("2027-03-31"),
		Parts: []Part{
			{
				Name: "sensor", Role: Device, Driver: "process",
				Command: []string{"./{variant.binary}", "--broker", "{broker.host}:{broker.port}", "--verbosity", "2", `--json={"a": 1}`},
				Env:     map[string]string{"STATE": "{state.dir}"}, Control: []string{"./bench"},
				Can: []Capability{PowerCut, "trigger.button"}, Ready: "^connected", Host: "broker.test",
				MQTT: &MQTTPart{
					Version: "5.0", Telemetry: "garden/{id}/data", Sequence: "payload.seq", Status: "garden/{id}/status",
					Expiring: &Expiring{Payload: `{"interval": {n}, "until": {until}}`, Lasts: Duration(time.Minute)},
					Command: &Command{
						Topic: "garden/{id}/set", Payload: `{"interval": {n}}`, QoS: 1,
						Effect: Effect{Topic: "garden/{id}/state", When: "payload.interval == n", Repeats: true},
					},
				},
				Local: &Local{
					Service: "_garden._tcp", Open: []string{"tcp/80"}, Fallback: "garden/{id}/address",
					UPnP: &UPnP{Ports: []int{8443}, On: `{"reach": true, "n": {n}}`, Off: `{"reach": false, "n": {n}}`},
				},
			},
			{
				Name: "cloud", Role: Cloud, Driver: "external", Address: "127.0.0.1:8883", Host: "localhost", API: "https://api.example.com/v1", CA: "ca.pem",
				Clients: []Client{{ID: "alice", User: "a", Pass: "secret", Publish: []string{"a/b"}, Subscribe: []string{"a/#"}}},
			},
		},
		Links:    []Link{{Name: "uplink", From: "sensor", To: "cloud", Protocol: MQTTS}},
		Variants: []Variant{{Name: "a", Hardware: "A", Firmware: "1.10", Share: 0.7, Set: map[string]string{"binary": "rev-a"}}, {Name: "b", Share: 0.3, Set: map[string]string{"binary": "rev-b"}}},
		Declared: Declared{
			Speed: 2.5, ConnectWithin: Duration(30 * time.Second), ReconnectCap: Duration(90 * time.Second), OfflineBuffer: 100,
			OfflineKeeps: "newest", Sleeps: true, SupportUntil: day("2032-12-31"),
		},
		Accepted: []Deviation{{Check: "protocol.keep-alive", Variant: "b", Reason: "known", Until: day("2027-06-30")}},
		Exclude:  []Exclusion{{Risk: "security", Reason: "assessed by a laboratory"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const least = "product: p\nparts:\n  d: {role: device, driver: process, command: [x]}\n  c: {role: cloud, driver: stand-in}\nlinks: [{name: l, from: d, to: c, protocol: mqtt}]\n"

func TestLoadDefaults(t *testing.T) {
	for _, src := range []string{least, "\ufeff" + strings.ReplaceAll(least, "\n", "\r\n"), "# c\n---\n" + least} {
		p, err := Load("p.yaml", []byte(src), known)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Variant{{Name: "default", Share: 1}}, p.Variants); diff != "" {
			t.Error(diff)
		}
	}
}

func TestShares(t *testing.T) {
	for written, want := range map[string]float64{"70 %": 0.7, "70%": 0.7, "0.7": 0.7, `"70 %"`: 0.7, "1": 1, "100 %": 1} {
		p, err := Load("p.yaml", []byte(least+"variants: [{name: v, share: "+written+"}]\n"), known)
		if err != nil {
			t.Errorf("%s: %v", written, err)
		} else if p.Variants[0].Share != want {
			t.Errorf("%s: %v, want %v", written, p.Variants[0].Share, want)
		}
	}
}

// TestLoadBounded feeds what makes YAML libraries slow, deep or large. Each must come back at once, as mistakes.
func TestLoadBounded(t *testing.T) {
	pieces := []string{
		"[", "{", "{a: ", "[a,", "- ", "a: ", "? ", "!a ", "&a ", "*a ", "\"", "'", "|\n x\n", "\n", " \n", "\r", "\t", "---\n", "a\n", "- a\n", "a: |\n",
		"a: b\n", "#", "# c\n", "x", "é", "\\", " ", ",", ":", "a:\n b:\n  c: 1\n", strings.Repeat("\n", maxBlank) + " x\n", strings.Repeat("x", 200) + "\n", strings.Repeat("[", maxLine) + "\n", strings.Repeat("a: ", maxLine/3) + "\n",
	}
	for _, before := range []string{"", "a: |\n ", "\""} {
		for _, piece := range pieces {
			src := bytes.Repeat([]byte(piece), (maxBytes-len(before))/len(piece))
			begin := time.Now()
			if _, err := Load("p.yaml", append([]byte(before), src...), known); err == nil {
				t.Errorf("%q and many %q load", before, piece)
			}
			if d := time.Since(begin); d > 5*time.Second {
				t.Errorf("%q and many %q took %v", before, piece, d)
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	_, err := Load("p.yaml", bytes.Repeat([]byte("# c\n"), maxBytes/4+1), known)
	want := "p.yaml:1:1: the file has 1048580 bytes; at most 1048576 are read\nhint: a product file holds text only: keep data in files beside it"
	if diff := cmp.Diff(want, errorText(err)); diff != "" {
		t.Error(diff)
	}
}

func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	for _, file := range append(files, "testdata/full.yaml") {
		if src, err := os.ReadFile(file); err == nil && len(src) < 4096 {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := Load("p.yaml", src, known)
		if err == nil {
			if p == nil || len(p.Real()) == 0 || len(p.Variants) == 0 {
				t.Errorf("loaded without a real part or a variant: %+v", p)
			}
			return
		}
		all, ok := errors.AsType[*Mistakes](err)
		if !ok || len(all.List) == 0 {
			t.Fatalf("not mistakes: %v", err)
		}
		lines := bytes.Count(src, []byte("\n")) + 1
		for _, m := range all.List {
			if m.Line < 1 || m.Line > lines || m.Column < 1 || m.Text == "" {
				t.Errorf("mistake outside of %d lines: %+v", lines, m)
			}
		}
		if len(err.Error()) == 0 {
			t.Error("empty message")
		}
	})
}
