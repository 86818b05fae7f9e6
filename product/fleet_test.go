package product_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/product"
)

var files = map[string]string{
	"devices.csv": "serial,password\nA1,x\nA2,y\n",
	"twice.csv":   "serial,id\n",
}

var fleetKnown = product.Known{
	Payload: func(text, encoding string, size int, given ...string) error {
		_, err := payload.Compile(text, encoding, size, given...)
		return err
	},
	Open: func(name string) (io.ReadCloser, error) {
		text, ok := files[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return io.NopCloser(strings.NewReader(text)), nil
	},
}

// held compares with a golden file, or writes it.
func held(t *testing.T, file string, got []byte) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
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

func TestBadFleetFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/bad-fleet/*.yaml")
	if err != nil || len(names) < 25 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	for _, file := range names {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = product.LoadFleet(filepath.Base(file), src, fleetKnown)
			if _, ok := errors.AsType[*product.Mistakes](err); !ok {
				t.Fatalf("got %v, want mistakes", err)
			}
			held(t, strings.TrimSuffix(file, ".yaml")+".txt", []byte(err.Error()+"\n"))
		})
	}
}

// documented is the example of the page.
func documented(t testing.TB) []byte {
	page, err := os.ReadFile("../docs/fleet-file.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(page, []byte("```yaml\n"))
	src, _, ok := bytes.Cut(rest, []byte("```\n"))
	if !ok {
		t.Fatal("no example")
	}
	return src
}

func TestDocumentedFleet(t *testing.T) {
	src := documented(t)
	f, err := product.LoadFleet("fleet.yaml", src, fleetKnown)
	if err != nil {
		t.Fatal(err)
	}
	if f.Devices != 10000 || len(f.Classes) != 3 || f.Operator.User != "operator" || len(f.Limits) != 2 {
		t.Errorf("got %+v", f)
	}
	meter, tracker, hub := f.Classes[0], f.Classes[1], f.Classes[2]
	if meter.Telemetry[0].Topic != "plant/{tenant}/{id}/telemetry" || meter.Telemetry[0].Every != product.Duration(30*time.Second) || meter.Telemetry[1].Pace != "fixed" {
		t.Errorf("telemetry: %+v", meter.Telemetry)
	}
	if diff := cmp.Diff([]string{"password", "user"}, tracker.Taken()); diff != "" {
		t.Error(diff)
	}
	if hub.Children != 50 || hub.Identity.ID != "{class}-{n}" || hub.KeepAlive != product.Duration(time.Minute) || hub.Telemetry[0].Encoding != "bytes" || hub.Window != 20 {
		t.Errorf("hub: %+v", hub)
	}
	for _, text := range []string{meter.Commands[0].Payload, meter.Commands[0].Answer.Payload, meter.Telemetry[1].Payload} {
		if !strings.Contains(text, "{stamp}") {
			t.Errorf("no stamp in %s", text)
		}
	}
	indented := "\nfleet:\n  " + strings.ReplaceAll(strings.TrimSpace(string(src)), "\n", "\n  ") + "\n"
	const rest = "product: p\nparts:\n  d: {role: device, driver: process, command: [x]}\n  c: {role: cloud, driver: stand-in}\nlinks: [{name: l, from: d, to: c, protocol: mqtt}]\n"
	known := fleetKnown
	known.Drivers = []string{"process"}
	p, err := product.Load("p.yaml", []byte(rest+indented), known)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, p.Fleet); diff != "" {
		t.Errorf("in the product file (-alone +there):\n%s", diff)
	}
	_, err = product.Load("p.yaml", []byte(rest+strings.ReplaceAll(indented, "share: 80 %", "share: 70 %")), known)
	if want := "p.yaml:12:3: the shares add up to 90 %, not 100 %"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestDocumentedKeys looks for every key of the fleet file, and all that may stand in braces, on the page.
func TestDocumentedKeys(t *testing.T) {
	page, err := os.ReadFile("../docs/fleet-file.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range product.FleetWords() {
		if !bytes.Contains(page, []byte("`"+word)) {
			t.Errorf("docs/fleet-file.md does not explain %s", word)
		}
	}
	for _, s := range product.Shapes {
		if line := "| `" + s.Name + "` | " + s.What + " |\n"; !bytes.Contains(page, []byte(line)) {
			t.Errorf("docs/fleet-file.md does not have the line %s", line)
		}
	}
}

// TestFleetTemplate loads the template as it is, and with all that is a comment in it.
func TestFleetTemplate(t *testing.T) {
	if _, err := product.LoadFleet("fleet.yaml", product.FleetTemplate, fleetKnown); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(product.FleetTemplate), "\n")
	rest = regexp.MustCompile(`(?m)^( *)# `).ReplaceAllString(rest, "$1")
	known := fleetKnown
	known.Open = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("secret\n")), nil }
	f, err := product.LoadFleet("fleet.yaml", []byte(rest), known)
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Classes[0]; f.Tenants != 100 || c.Identity.CA != "ca.pem" || c.Sleep == nil || len(c.Commands) != 1 || f.Operator == nil {
		t.Errorf("got %+v", f)
	}
}

func TestDefaultFleet(t *testing.T) {
	f := product.DefaultFleet()
	post := f.Classes[0].Telemetry[0]
	tmpl, err := payload.Compile(post.Payload, post.Encoding, post.Size)
	if err != nil {
		t.Fatal(err)
	}
	got := tmpl.Append(nil, &payload.Vars{ID: "device-9999999", Time: 1_764_140_852_123_456})
	if len(got) != 128 || !tmpl.Counts() {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	src := "classes: {device: {telemetry: [{topic: 'shakedown/{id}/telemetry', qos: 1, every: 10s, size: 128, payload: '" + post.Payload + "'}]}}"
	loaded, err := product.LoadFleet("f.yaml", []byte(src), fleetKnown)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, loaded); diff != "" {
		t.Errorf("(-default +loaded):\n%s", diff)
	}
}

func TestReadRows(t *testing.T) {
	rows, err := product.ReadRows(strings.NewReader("\ufeffserial, site\r\nA1,\"x,y\"\nA2,\nA3,z\n"), "d.csv", 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"serial", "site"}, rows.Columns); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprintf("%d %q %q", rows.Len(), rows.Append(nil, 0), rows.Append([]string{"-"}, 1)); got != `2 ["A1" "x,y"] ["-" "A2" ""]` {
		t.Error(got)
	}
	for src, want := range map[string]string{
		"":                                   "d.csv is empty",
		"serial\nA1\n":                       "d.csv has 1 lines of values, and there are 2 devices",
		"serial,x\nA1,1\nA2\n":               "d.csv:3: not as many values as there are columns",
		"serial,x\nA1,1\nA2,\"\n":            "d.csv:3: ",
		"serial,serial\n":                    "d.csv:1: column 2: {serial} is given twice",
		"a b\n":                              `d.csv:1: column 1: "a b" cannot be a placeholder`,
		"seq\n":                              "d.csv:1: column 1: {seq} has a meaning of its own",
		"serial\nA1\n\xff\n":                 "d.csv:3: column serial: not text in UTF-8",
		strings.Repeat("x,", 99):             "d.csv:1: 100 columns",
		"s\na\n" + strings.Repeat("b", 9000): "d.csv:3: column s: not text in UTF-8 of at most 8192 bytes",
	} {
		if _, err := product.ReadRows(strings.NewReader(src), "d.csv", 2); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.30q: %v, want %s", src, err, want)
		}
	}
}

// TestLoadFleetBounded feeds what many mistakes or pieces are found in. Each must come back at once.
func TestLoadFleetBounded(t *testing.T) {
	for _, piece := range []string{"{a}", "{n", "{id}", "{n:", "{ramp:1:2:1s}", "{fill}", "[", `{"a":`, "[1,", `"`, "{", "}", "{random:1:2},"} {
		for _, encoding := range []string{"bytes", "json", "cbor"} {
			line := strings.Repeat(piece, 250_000/len(piece)/32)
			text := "|\n"
			for range 32 {
				text += "          " + line + "\n"
			}
			src := "classes:\n  a:\n    telemetry:\n      - topic: x\n        every: 1s\n        encoding: " + encoding + "\n        payload: " + text
			begin := time.Now()
			_, err := product.LoadFleet("f.yaml", []byte(src), fleetKnown)
			if d := time.Since(begin); d > 3*time.Second {
				t.Errorf("many %q in %s took %v: %.100v", piece, encoding, d, err)
			}
		}
	}
}

func FuzzLoadFleet(f *testing.F) {
	names, _ := filepath.Glob("testdata/bad-fleet/*.yaml")
	for _, file := range names {
		if src, err := os.ReadFile(file); err == nil {
			f.Add(src)
		}
	}
	f.Add(documented(f))
	f.Fuzz(func(t *testing.T, src []byte) {
		fleet, err := product.LoadFleet("f.yaml", src, fleetKnown)
		if err == nil {
			usable(t, fleet)
			return
		}
		all, ok := errors.AsType[*product.Mistakes](err)
		if !ok || len(all.List) == 0 {
			t.Fatalf("not mistakes: %v", err)
		}
		lines := bytes.Count(src, []byte("\n")) + 1
		for _, m := range all.List {
			if m.Line < 1 || m.Line > lines || m.Column < 1 || m.Text == "" {
				t.Errorf("mistake outside of %d lines: %+v", lines, m)
			}
		}
	})
}

// usable holds a fleet that was loaded against what those who use it rely on.
func usable(t *testing.T, f *product.Fleet) {
	t.Helper()
	if len(f.Classes) == 0 || f.Devices < 1 || f.Tenants < 1 || f.Connects <= 0 {
		t.Errorf("loaded: %+v", f)
	}
	share := 0.0
	for _, c := range f.Classes {
		share += c.Share
		names := c.Taken()
		if c.Identity.CSV != "" {
			rows, err := product.ReadRows(strings.NewReader(files[c.Identity.CSV]), c.Identity.CSV, 0)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, rows.Columns...)
		}
		texts := []string{c.Identity.ID, c.Identity.User, c.Identity.Password, c.Identity.Token, c.Identity.PSK}
		for _, s := range c.Subscribe {
			texts = append(texts, s.Topic)
		}
		var posts []product.Post
		for _, one := range c.Telemetry {
			posts = append(posts, one.Post)
		}
		for _, one := range c.Commands {
			posts = append(posts, one.Post)
		}
		for _, p := range posts {
			texts = append(texts, p.Topic)
			if _, err := payload.Compile(p.Payload, p.Encoding, p.Size, names...); err != nil {
				t.Errorf("payload %s: %v", p.Payload, err)
			}
		}
		for _, text := range texts {
			if _, err := payload.Compile(text, payload.Bytes, 0, names...); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	if share < 0.99 || share > 1.01 {
		t.Errorf("shares of %v", share)
	}
}
