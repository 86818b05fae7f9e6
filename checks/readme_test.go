package checks_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks"
)

// TestReadmeRisks holds the table of the twelve risks in the README against the checks that there are.
func TestReadmeRisks(t *testing.T) {
	const file, begin, end = "../README.md", "<!-- risks: go test ./checks -run TestReadmeRisks -update -->\n", "<!-- end of risks -->\n"
	readme, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", file, begin, end)
	}
	want := riskTable(checks.All())
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table != want {
		t.Errorf("the table of the risks in %s is stale; run: go test ./checks -run TestReadmeRisks -update", file)
	}
}

// riskTable is a line for each risk: how many checks there are, and what one of the gravest of them says.
func riskTable(risks []check.Risk) string {
	var b strings.Builder
	b.WriteString("| risk | checks today | for example |\n|---|---|---|\n")
	for _, r := range risks {
		example := "none yet: the report says *not assessed*"
		for _, c := range r.Checks {
			if c.Severity == check.Blocker {
				example = fmt.Sprintf("[%s](docs/catalogue/%s.md)", c.Title, strings.Replace(c.ID, ".", "/", 1))
				break
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %s |\n", r.Title, len(r.Checks), example)
	}
	return b.String()
}
