package product

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
)

func TestExpand(t *testing.T) {
	values := map[string]string{"broker.host": "127.0.0.1", "broker.port": "1883", "variant.x": "{broker.port}"}
	for _, c := range []struct{ in, want, err string }{
		{"{broker.host}:{broker.port}", "127.0.0.1:1883", ""},
		{`{"a": {broker.port}}`, `{"a": 1883}`, ""},
		{"{{broker.port}}", "{1883}", ""},
		{"{variant.x}", "{broker.port}", ""},
		{"a{1,3}{}{ x}{", "a{1,3}{}{ x}{", ""},
		{"awk '{print $1}'", "awk '{print $1}'", ""},
		{"{brokr.host}", "", "unknown placeholder {brokr.host}"},
		{"{broker.host", "", "the brace of {broker.host is not closed"},
		{"{broker.host:1", "", "the brace of {broker.host is not closed"},
		{"x{y", "", "the brace of {y is not closed"},
	} {
		got, err := Expand(c.in, values)
		if text := errorText(err); got != c.want || text != c.err {
			t.Errorf("Expand(%q) = %q, %q; want %q, %q", c.in, got, text, c.want, c.err)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestFill(t *testing.T) {
	if got, want := Fill(`{"n": {n}, "t": "{token}", "x": {y}}/{id}`, "d.1", 7, "a+b"), `{"n": 7, "t": "a+b", "x": {y}}/d.1`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := FillPattern(`{id}:{token}\d{2}`, "d.1", 7, "a+b"), `d\.1:a\+b\d{2}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEffect(t *testing.T) {
	vars := Vars{Payload: map[string]any{"n": 7.0, "on": true, "list": make([]any, 1000)}, Text: "on 7 word", Topic: "d/state", N: 7, Token: "word", ID: "d"}
	for _, c := range []struct {
		expr  string
		holds bool
		err   string
	}{
		{"payload.n == n", true, ""},
		{"payload.n >= n && payload.on", true, ""},
		{"text.contains(token) && topic == id + '/state'", true, ""},
		{"payload.n == 8", false, ""},
		{"has(payload.m)", false, ""},
		{"payload.on", true, ""},
		{"true", true, ""},
		{"payload.m == n", false, "no such key"},
		{"payload.n", false, "not true or false"},
		{"payload.list.all(x, payload.list.all(y, payload.list.all(z, x == y && y == z)))", false, "cost limit"},
	} {
		p, err := CompileEffect(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		holds, err := p.Eval(vars)
		if holds != c.holds || (err == nil) != (c.err == "") || !strings.Contains(errorText(err), c.err) {
			t.Errorf("%s: %v, %v; want %v, %q", c.expr, holds, err, c.holds, c.err)
		}
	}
	for _, expr := range []string{"", "paylod.n", "n", "payload.n ==", strings.Repeat("(", 3000), strings.Repeat("!", 5000)} {
		if _, err := CompileEffect(expr); err == nil {
			t.Errorf("%.40q compiles", expr)
		}
	}
}

func TestSequence(t *testing.T) {
	vars := Vars{Payload: map[string]any{"seq": 12.0, "half": 0.5, "name": "x"}, Text: "seq=42"}
	for expr, want := range map[string]int64{"payload.seq": 12, "int(payload.seq) + 1": 13, "int(text.substring(4))": -1, "payload.half": -1, "payload.name": -1, "payload.none": -1} {
		s, err := CompileSequence(expr)
		if err != nil {
			if want >= 0 {
				t.Errorf("%s: %v", expr, err)
			}
			continue
		}
		got, err := s.Number(vars)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%s: %d (%v), want %d", expr, got, err, want)
		}
	}
	if _, err := CompileSequence("text"); err == nil {
		t.Error("text is a number")
	}
}

func TestQueries(t *testing.T) {
	p := &Product{
		Parts: []Part{
			{Name: "fake", Role: Device, Driver: StandIn},
			{Name: "d", Role: Device, Driver: "process", MQTT: &MQTTPart{Telemetry: "t", Command: &Command{}}},
			{Name: "c", Role: Cloud, Driver: StandIn},
		},
		Links:    []Link{{Name: "a", From: "d", To: "c", Protocol: HTTPS}, {Name: "b", From: "d", To: "c", Protocol: MQTTS}},
		Declared: Declared{OfflineBuffer: 3},
	}
	if got := p.PartByRole(Device); got != &p.Parts[1] || p.PartByRole(Cloud) != nil || p.Part("c") != &p.Parts[2] || p.Part("x") != nil || len(p.Real()) != 1 {
		t.Errorf("parts: %+v", got)
	}
	speaks := map[Protocol]bool{}
	for _, proto := range []Protocol{MQTT, MQTTS, TLS, HTTP, HTTPS} {
		speaks[proto] = p.Speaks("d", proto)
	}
	if diff := cmp.Diff(map[Protocol]bool{MQTT: true, MQTTS: true, TLS: true, HTTP: true, HTTPS: true}, speaks); diff != "" {
		t.Error(diff)
	}
	if p.Speaks("fake", MQTT) || p.LinkOf("c", MQTT).Name != "b" || p.LinkOf("d", TLS).Name != "a" {
		t.Error("links")
	}
	p.Links[0].Protocol, p.Links[1].Protocol = HTTP, MQTT
	if p.Speaks("d", TLS) || p.Speaks("d", MQTTS) || p.Speaks("d", HTTPS) {
		t.Error("plain protocols count as TLS")
	}
	declares := map[string]bool{}
	for _, key := range []string{"telemetry", "command", "sequence", "status", "offline_buffer", "keep_alive", "x"} {
		declares[key] = p.Declares(&p.Parts[1], key)
	}
	want := map[string]bool{"telemetry": true, "command": true, "sequence": false, "status": false, "offline_buffer": true, "keep_alive": false, "x": false}
	if diff := cmp.Diff(want, declares); diff != "" {
		t.Error(diff)
	}
	if p.Declares(&p.Parts[2], "telemetry") || p.Declares(nil, "telemetry") || p.Declared.Has("telemetry") {
		t.Error("declared without an MQTT block")
	}
}

func TestTemplate(t *testing.T) {
	resolved := resolvedSchema(t)
	for _, driver := range []string{"", "process", "external", "human", "exec"} {
		for _, proto := range []Protocol{"", MQTT, MQTTS} {
			for _, o := range []TemplateOptions{
				{},
				{Name: `a "quoted": name # <b>`, Command: `./dev --name 'two words' --x="" {broker.host}`, Telemetry: "a/+/b"},
				{CommandTopic: "a/set", CommandPayload: `{"n": {n}}`, Effect: Effect{Topic: "a/state", When: `payload.n == n && text != "x"`, Repeats: true}},
				{CommandTopic: "a/set", Effect: Effect{Console: `done \d+ {n}`}},
			} {
				o.Driver, o.Protocol = driver, proto
				src := Template(o)
				p, err := Load("p.yaml", src, known)
				if err != nil {
					t.Fatalf("%+v: %v\n%s", o, err, src)
				}
				if o.Name != "" && p.Name != o.Name || o.Telemetry != "" && p.Parts[0].MQTT.Telemetry != o.Telemetry {
					t.Errorf("%+v became %+v", o, p)
				}
				if c := p.Parts[0].MQTT.Command; o.CommandTopic != "" && (c == nil || c.Effect != o.Effect || c.Topic != o.CommandTopic) {
					t.Errorf("%+v became %+v", o, c)
				}
				var value map[string]any
				if err := yaml.Unmarshal(src, &value); err != nil {
					t.Fatal(err)
				}
				if err := resolved.Validate(value); err != nil {
					t.Errorf("%+v: schema: %v", o, err)
				}
			}
		}
	}
	p, err := Load("p.yaml", Template(TemplateOptions{Command: `./dev 'two words' "" a"b c"d`}), known)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"./dev", "two words", "", "ab cd"}, p.Parts[0].Command); diff != "" {
		t.Error(diff)
	}
}

// TestTemplateExamples takes the comments away from the examples of the template: they must be right too.
func TestTemplateExamples(t *testing.T) {
	src := string(Template(TemplateOptions{Driver: "process"}))
	_, examples, _ := strings.Cut(src, "\ndeclared: {}\n")
	examples, _, _ = strings.Cut(examples, "\n\n")
	examples = strings.ReplaceAll(examples, "#  ", "  ")
	p, err := Load("p.yaml", []byte(least+"declared:\n"+examples+"\n"), known)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range fields(reflect.TypeFor[Declared]()) {
		if !p.Declared.Has(key.key) {
			t.Errorf("the template has no example of %s", key.key)
		}
	}
}

func resolvedSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	return resolved(t, text)
}

func resolved(t *testing.T, text []byte) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func TestSchema(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/product.schema.json", text)
	for name, f := range map[string]any{"unknown key": map[string]any{"product": "p", "parts": map[string]any{}, "x": 1.0}, "no parts": map[string]any{"product": "p"}} {
		if resolvedSchema(t).Validate(f) == nil {
			t.Errorf("%s is valid", name)
		}
	}
}

func TestFleetSchema(t *testing.T) {
	text, err := FleetSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/fleet.schema.json", text)
	page, err := os.ReadFile("../docs/fleet-file.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```\n")
	var value map[string]any
	if err := yaml.Unmarshal([]byte(example), &value); err != nil {
		t.Fatal(err)
	}
	if err := resolved(t, text).Validate(value); err != nil {
		t.Errorf("the example of the page: %v", err)
	}
	value["clases"] = 1.0
	if resolved(t, text).Validate(value) == nil {
		t.Error("an unknown key is valid")
	}
}
