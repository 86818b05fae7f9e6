package security

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// UndeclaredDestination compares the hosts that are named with those that the maker declares.
var UndeclaredDestination = &check.Check{
	ID:    "security.undeclared-destination",
	Title: "Names no service but those that are declared",
	Why: "Libraries bring destinations along: statistics, advertisements, an update server of somebody else. " +
		"The maker answers for where the data go, also where nobody looked.",
	Pass:     "every host of an https, wss, mqtts, coaps or amqps URL in programs and configuration is one of the product's links or of declared.destinations",
	Fix:      "Declare the host under declared: destinations, or take out what speaks to it.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.8-1", "CRA:I.2g", "ISTG:FW-INFO-003", "IOT10:I6"},
	Rows:         []string{"FW-URL-INV"},
	Sources:      []string{"our choice: URLs over TLS are those that are meant to be reached; of the others security.plain-url speaks"},

	Needs:   check.Needs{Real: product.Artefact, Declares: []string{"destinations"}},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: func(_ context.Context, t *check.T) error {
		looked := 0
		for _, f := range t.Artefacts {
			looked += len(f.Addresses)
			t.Find(judgeDestinations(f.Addresses, declaredHosts(t.Product))...)
		}
		return t.LookedAt(looked, "URLs")
	},
}

// declaredHosts are the names of the product's own hosts; *.example.com is any name below.
func declaredHosts(p *product.Product) (hosts []string) {
	for _, part := range p.Parts {
		hosts = append(hosts, strings.ToLower(part.Host))
		if host, _, err := net.SplitHostPort(part.Address); err == nil {
			hosts = append(hosts, strings.ToLower(host))
		}
	}
	for _, d := range p.Declared.Destinations {
		hosts = append(hosts, strings.ToLower(d))
	}
	return hosts
}

func judgeDestinations(all []artefact.Address, declared []string) (findings []check.Finding) {
	var same groups[string]
	for _, a := range all {
		secure := a.Scheme == "https" || a.Scheme == "wss" || a.Scheme == "mqtts" || a.Scheme == "coaps" || a.Scheme == "amqps"
		if secure && !a.Comment && !document(a.Node) && !namespace(a.Host) && beyondHome(a.Host) && !isDeclared(a.Host, declared) {
			same.add(a.Host, place(a.Node, a.Offset))
		}
	}
	for _, host := range same.keys {
		findings = append(findings, check.Finding{Title: "Names a service that is not declared: " + host, Seen: fmt.Sprintf("in %s", several(same.of[host]))})
	}
	return findings
}

func isDeclared(host string, declared []string) bool {
	for _, d := range declared {
		if below, ok := strings.CutPrefix(d, "*."); ok && (host == below || strings.HasSuffix(host, "."+below)) || host == d {
			return true
		}
	}
	return false
}
