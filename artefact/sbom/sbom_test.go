package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/shakedown-test/shakedown/artefact/components"
)

var (
	subject = Subject{Name: "router.bin", SHA256: strings.Repeat("ab", 32), Maker: "Example", Built: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}
	items   = []Item{
		{Component: components.Component{Name: "libssl3", Version: "3.0.11-1~deb12u2", Upstream: "3.0.11", Product: "openssl", Vendor: "openssl", Source: components.DPKG, Distro: "debian", Supplier: "Debian", License: "OpenSSL <x>"}, Places: []string{"router.bin: rootfs: var/lib/dpkg/status"}},
		{Component: components.Component{Name: "linux", Version: "6.1.0-18", Upstream: "6.1.76", Product: "linux_kernel", Vendor: "linux", Source: components.Banner, Type: 'o'}},
		{Component: components.Component{Name: "@a/b", Version: "1.0.0", Source: components.NPM}, SHA256: strings.Repeat("cd", 32)},
	}
)

func written(t *testing.T, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var a, b bytes.Buffer
	if err := errors.Join(write(&a), write(&b)); err != nil {
		t.Fatal(err)
	}
	if a.String() != b.String() {
		t.Error("two runs differ")
	}
	return a.Bytes()
}

// What is written holds against the schema that CycloneDX publishes, which comes with the module that writes it.
func TestCycloneDXSchema(t *testing.T) {
	for _, list := range [][]Item{items, nil} {
		data := written(t, func(b *bytes.Buffer) error { return CycloneDX(b, subject, list) })
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		for name, file := range map[string]string{"bom-1.6": "bom-1.6.schema.json", "spdx": "spdx.schema.json", "jsf-0.82": "jsf-0.82.schemax.json"} {
			raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", file))
			if err != nil {
				t.Fatal(err)
			}
			schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.AddResource("http://cyclonedx.org/schema/"+name+".schema.json", schema); err != nil {
				t.Fatal(err)
			}
		}
		s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%v\n%s", err, data)
		}
	}
}

// The required fields of SPDX 2.3 are there, and what is written is read.
func TestReadWhatIsWritten(t *testing.T) {
	spdx := written(t, func(b *bytes.Buffer) error { return SPDX(b, subject, items) })
	var top map[string]any
	if err := json.Unmarshal(spdx, &top); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"} {
		if top[key] == nil {
			t.Errorf("SPDX without %s", key)
		}
	}
	for name, data := range map[string][]byte{
		"CycloneDX 1.6": written(t, func(b *bytes.Buffer) error { return CycloneDX(b, subject, items) }), "SPDX 2.3": spdx,
	} {
		d, err := Read(data)
		if err != nil {
			t.Fatal(name, err)
		}
		if d.Format != name || !d.Author || !d.Time || !d.Related || d.Subject != "router.bin" || len(d.Items) != 3 {
			t.Errorf("%s: %+v", name, d)
		}
		if i := d.Items[0]; i.Name != "libssl3" || i.PURL != "pkg:deb/debian/libssl3@3.0.11-1~deb12u2" || !strings.Contains(i.Supplier, "Debian") || i.CPE == "" {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

func TestReadVEX(t *testing.T) {
	for name, data := range map[string]string{
		"CycloneDX": `{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-2020-0001","analysis":{"state":"not_affected","justification":"code_not_reachable"}},{"id":"cve-2020-0002","analysis":{"state":"exploitable"}},{"id":"CVE-2020-0003"}]}`,
		"OpenVEX":   `{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"CVE-2020-0001"},"status":"not_affected","justification":"code_not_reachable"},{"vulnerability":"CVE-2020-0002","status":"affected"}]}`,
		"CSAF":      `{"document":{"category":"csaf_vex"},"vulnerabilities":[{"cve":"CVE-2020-0001","product_status":{"known_not_affected":["a"]}},{"cve":"CVE-2020-0002","product_status":{"known_affected":["a"]}}]}`,
	} {
		all, err := ReadVEX([]byte(data))
		if err != nil || len(all) != 2 {
			t.Fatalf("%s: %+v, %v", name, all, err)
		}
		var got []string
		for _, s := range all {
			got = append(got, s.ID)
		}
		if diff := cmp.Diff([]string{"CVE-2020-0001", "CVE-2020-0002"}, got); diff != "" || all[0].Harmed || !all[1].Harmed {
			t.Errorf("%s: %s %+v", name, diff, all)
		}
	}
	for _, bad := range []string{"", "{}", "[]", `{"vulnerabilities":[]}`} {
		if _, err := ReadVEX([]byte(bad)); !errors.Is(err, ErrVEX) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := Read([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	var a, b bytes.Buffer
	_, _ = CycloneDX(&a, subject, items), SPDX(&b, subject, items)
	f.Add(a.Bytes())
	f.Add(b.Bytes())
	f.Add([]byte(`{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1","analysis":{"state":"not_affected"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := Read(data); err == nil && len(d.Items) > len(data) {
			t.Fatalf("%d items of %d bytes", len(d.Items), len(data))
		}
		if all, err := ReadVEX(data); err == nil && len(all) > len(data) {
			t.Fatalf("%d statements of %d bytes", len(all), len(data))
		}
	})
}
