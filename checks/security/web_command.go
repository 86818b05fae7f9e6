package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// WebCommand looks for pages that put what a visitor sends into a command.
var WebCommand = &check.Check{
	ID:       "security.web-command",
	Title:    "Puts nothing that a visitor sends into a command",
	Why:      "A semicolon in a form is then a command with the rights of the web server, which is root on most devices. It is the most common hole of routers.",
	Pass:     "in no PHP, Lua or shell program of the web server does a value of the request reach a shell, at once or by one variable, unchecked",
	Fix:      "Call the program with a list of arguments and without a shell, or quote the value (escapeshellarg, util.shellquote) and check its form.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.13-1A", "CRA:I.2j", "ISTG:FW-INFO-001"},
	Rows:         []string{"SVC-WEBCMD"},
	Sources:      []string{"CWE-78", "programs in C are not followed"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("pages and programs of a web server", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Pages), judgePages(f.Pages)
	}),
}

// judgePages makes findings of the flows.
func judgePages(all []artefact.Page) (findings []check.Finding) {
	for _, p := range all {
		for _, f := range p.Flows {
			findings = append(findings, check.Finding{
				Title: "Runs a command with what a visitor sends",
				Seen:  fmt.Sprintf("%s reaches a command in line %d of %s: %s", f.Input, f.Line, p.Node.Path(), f.Text),
			})
		}
	}
	return findings
}
