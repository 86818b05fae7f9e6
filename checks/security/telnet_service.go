package security

import (
	"path"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// TelnetService looks for a telnet server that the system starts.
var TelnetService = &check.Check{
	ID:       "security.telnet-service",
	Title:    "Starts no telnet server",
	Why:      "Telnet carries passwords in the clear, and is the first port that botnets knock at. Mirai took hundreds of thousands of devices through it.",
	Pass:     "no init table, script, unit, cron table or inetd configuration that the start reaches runs a telnet server",
	Fix:      "Take the server out of the image; use SSH with keys, and only while somebody needs it.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.6-1", "CRA:I.2j", "ISTG:FW-CONF-002"},
	Rows:         []string{"SVC-TELNET"},
	Sources:      []string{"EN 303 645, 5.6-1", "Antonakakis et al.: Understanding the Mirai Botnet, USENIX Security 2017"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("commands that start something", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Starts), judgeTelnet(f.Starts)
	}),
}

var telnetServers = []string{"telnetd", "utelnetd", "in.telnetd", "inetutils-telnetd", "telnetd.netkit", "telnetd-ssl"}

func judgeTelnet(starts []startup.Start) []check.Finding {
	return judgeServers(starts, telnetServers, "Starts a telnet server")
}

// judgeServers finds servers that are started. One that depends on a setting is a smaller matter.
func judgeServers(starts []startup.Start, names []string, title string) (findings []check.Finding) {
	for _, s := range starts {
		server := s.Name()
		if i := slices.IndexFunc(s.Argv, func(w string) bool { return slices.Contains(names, path.Base(w)) }); i > 0 && (server == "tcpsvd" || server == "udpsvd") {
			server = path.Base(s.Argv[i])
		}
		if !slices.Contains(names, server) {
			continue
		}
		f := check.Finding{Title: title, Seen: s.Told()}
		if s.When != "" {
			f.Severity, f.Title = check.Minor, title+" on a condition"
		}
		findings = append(findings, f)
	}
	return findings
}
