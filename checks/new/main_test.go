package main

import (
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Chdir(t.TempDir())
	risk := filepath.Join("checks", "fault")
	if err := os.MkdirAll(risk, 0o755); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(risk, "doc.go")
	if err := os.WriteFile(list, []byte("package fault\n\nvar Risk = check.Risk{\n\tChecks: []*check.Check{},\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"fault.stale-command", "fault.half-open"} {
		if err := run([]string{id, "Holds"}); err != nil {
			t.Fatal(err)
		}
	}
	doc := read(t, list)
	for _, want := range []string{"\t\tStaleCommand,\n", "\t\tHalfOpen,\n"} {
		if !strings.Contains(doc, want) {
			t.Errorf("the list lacks %q:\n%s", want, doc)
		}
	}
	text := read(t, filepath.Join(risk, "stale_command.go"))
	if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
		t.Errorf("the template is not formatted Go: %v\n%s", err, text)
	}
	if !strings.Contains(text, `ID:       "fault.stale-command"`) || !strings.Contains(text, "var StaleCommand = &check.Check{") {
		t.Errorf("the check lacks its id or its name:\n%s", text)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{nil, {"fault.x"}, {"fault", "Title"}, {"fault.Upper", "Title"}, {"fault.../x", "Title"}, {"nowhere.x", "Title"}} {
		if run(args) == nil {
			t.Errorf("run(%q) did not fail", args)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
