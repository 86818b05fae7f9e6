package checks_test

import (
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/product"
)

var update = flag.Bool("update", false, "write the pages of the catalogue anew")

const docs = "../docs"

// pages are all generated pages by their path under docs.
func pages(risks []check.Risk) map[string]string {
	all := map[string]string{
		"catalogue/README.md": checks.Index(risks),
		"rows.md":             checks.RowsPage(risks),
	}
	for _, r := range risks {
		for _, c := range r.Checks {
			all["catalogue/"+strings.Replace(c.ID, ".", "/", 1)+".md"] = checks.Page(c)
		}
	}
	return all
}

func TestCataloguePages(t *testing.T) {
	want := pages(checks.All())
	if *update {
		if err := rewrite(want); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range want {
		got, err := os.ReadFile(filepath.Join(docs, path))
		if err != nil || string(got) != text {
			t.Errorf("docs/%s is stale or missing; run: go test ./checks -run TestCataloguePages -update", path)
		}
	}
	err := filepath.WalkDir(filepath.Join(docs, "catalogue"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(docs, path)
		if _, ok := want[filepath.ToSlash(rel)]; !ok {
			t.Errorf("docs/%s is about no check; run: go test ./checks -run TestCataloguePages -update", rel)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func rewrite(pages map[string]string) error {
	if err := os.RemoveAll(filepath.Join(docs, "catalogue")); err != nil {
		return err
	}
	for path, text := range pages {
		file := filepath.Join(docs, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func TestPageSaysEverything(t *testing.T) {
	c := &check.Check{
		ID: "fault.stale-command", Title: "Drops commands that are hours old", Why: "Printers started at night.", Pass: "no command older than 60 s is carried out",
		Fix: "put a time on every command", Severity: check.Blocker, Requirements: []string{"EN303645:5.9-3", "NIST8425:DP"}, Incidents: []string{"INC-044"},
		Rows: []string{"mqtt.order"}, Sources: []string{"MQTT-4.6.0-1"}, Needs: check.Needs{Real: product.Device, Speaks: product.MQTT},
		Impact: check.Disturbs, Typical: 90 * time.Second, Limit: 2 * time.Hour, Run: func(context.Context, *check.T) error { return nil },
	}
	want := "# Drops commands that are hours old\n\n" +
		"`fault.stale-command` · blocker · disturbs the world around the part\n\n" +
		"**Why:** Printers started at night.\n\n" +
		"**Criterion:** no command older than 60 s is carried out.\n\n" +
		"**First thing to try:** put a time on every command.\n\n" +
		"**Needs** a real device that speaks MQTT. Takes about 1m30s, at most 2h, of device time.\n\n" +
		"## Gives evidence for\n\n" +
		"- ETSI EN 303 645 v3.1.3 5.9-3: orderly, stable reconnects that spare the infrastructure, recommended\n" +
		"- NIST IR 8425 DP: protection of data stored and on the way\n\n" +
		"## Seen in the field\n\n" +
		"- INC-044, Bambu Lab printers, 15 Aug 2023: MQTT client library reported a reconnect that had not happened; " +
		"start commands piled up and were delivered hours late; printers started unattended. " +
		"<https://blog.bambulab.com/cloud-temporary-outage-investigation> <https://theregister.com/2023/08/24/bambu_lab_3d_printer_crazy>\n\n" +
		"## Sources of the criterion\n\n- MQTT-4.6.0-1\n\n" +
		"## Rows of the catalogue\n\n- `mqtt.order`\n"
	if diff := cmp.Diff(want, checks.Page(c)); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	risks := []check.Risk{{ID: "fault", Title: "Faults", Plain: "Something fails.", Checks: []*check.Check{c}}}
	if index, line := checks.Index(risks), "| [fault.stale-command](fault/stale-command.md) | drops commands that are hours old | blocker |\n"; !strings.Contains(index, line) {
		t.Errorf("the index lacks %q:\n%s", line, index)
	}
	if rows, line := checks.RowsPage(risks), "| `mqtt.order` | ten commands in sequence, one resent | `fault.stale-command` |\n"; !strings.Contains(rows, line) {
		t.Errorf("the rows lack %q", line)
	}
}
