package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// RootDaemons looks for network programs that keep the rights of root.
var RootDaemons = &check.Check{
	ID:       "security.root-daemons",
	Title:    "Runs its network programs with few rights",
	Why:      "A hole in a program that runs as root is the whole device; in one with a user of its own, it is that program.",
	Pass:     "every program that the start runs and that takes connections has a user of its own, or gives its rights up itself",
	Fix:      "Start it with a user: start-stop-daemon -c, User= of systemd, procd_set_param user; give it the capabilities that it needs.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.6-7", "CRA:I.2k", "ISTG:FW[INST]-AUTHZ-002"},
	Rows:         []string{"SVC-ROOT"},
	Sources:      []string{"capabilities(7)", "systemd.exec(5): User"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("network programs that are started", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return judgeRoot(f.Starts, f.Binaries)
	}),
}

// givesUp are functions with which a program gives its rights up.
var givesUp = []string{"setuid", "setresuid", "setreuid", "seteuid", "initgroups", "cap_set_proc", "capset", "prctl"}

// judgeRoot finds programs that take connections as root all the time.
func judgeRoot(starts []startup.Start, all []artefact.Binary) (looked int, findings []check.Finding) {
	listens := map[*tree.Node]artefact.Binary{}
	for _, b := range artefact.Listeners(all) {
		listens[b.Node] = b
	}
	seen := map[*tree.Node]bool{}
	for _, s := range starts {
		b, ok := listens[s.Program]
		if !ok || seen[s.Program] {
			continue
		}
		seen[s.Program] = true
		looked++
		if (s.User == "" || s.User == "root" || s.User == "0") && len(b.AnyOf(givesUp...)) == 0 {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Runs %s as root", s.Name()),
				Seen:  s.Told() + "; it takes connections and calls nothing with which it could give its rights up",
			})
		}
	}
	return looked, findings
}
