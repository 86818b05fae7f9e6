// Package check is the contract between Shakedown and its checks.
//
// A check is a value with literal fields and a function. The function acts on the world around the real part, records what it sees
// and hands over findings. It returns an error only when it could not be carried out; whatever was seen, however bad, is a finding.
// A check that saw nothing returns an error as well: an unknown is never a pass.
package check

import (
	"context"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// What checks say of themselves and of the product; defined in evidence so that reports need nothing else.
type (
	Severity    = evidence.Severity
	Finding     = evidence.Finding
	Measurement = evidence.Measurement
	Outcome     = evidence.Outcome
)

// The severities, worst first.
const (
	Blocker = evidence.Blocker
	Major   = evidence.Major
	Minor   = evidence.Minor
	Info    = evidence.Info
)

// Impact says what a check does to the part under test, so that a lab can decide what it lets near its only prototype.
type Impact string

// The impacts, mildest first.
const (
	Observes Impact = "observes" // looks on; the part sees an ordinary world
	Disturbs Impact = "disturbs" // the world misbehaves; the part should come back by itself
	Restarts Impact = "restarts" // the part is stopped, killed or loses power
)

// Check is one sentence that must hold, and how to find out.
type Check struct {
	ID       string   // risk.slug
	Title    string   // the sentence, with the part as its subject: "Spreads its reconnects when …"
	Why      string   // what customers see when it does not hold; at most three sentences
	Pass     string   // the criterion in one sentence, with numbers and units
	Fix      string   // the first thing to try
	Severity Severity // of a plain failure; a finding may be graded otherwise

	Requirements []string // clauses that it gives evidence for, as in the requirement register: "EN303645:5.9-3"
	Incidents    []string // rows of the incident corpus: "INC-044"
	Rows         []string // rows of the catalogue that it carries out, see checks.Rows: "mqtt.backoff.cap"
	Sources      []string // where the criterion comes from: "MQTT-3.1.2-24", "AWS Device Advisor: MQTT Connect (other limit: …)"

	Needs  Needs
	Impact Impact

	Typical time.Duration // device time that it usually takes
	Limit   time.Duration // device time after which it is given up

	Run func(context.Context, *T) error
}

// Needs is what a check needs of the product. The planner alone turns an unmet need into not-applicable or not-run.
type Needs struct {
	Real     product.Role         // the part that must be real
	Speaks   product.Protocol     // on one of that part's links
	Version  string               // "5.0" or "3.1.1": the MQTT version the row is about; empty for both
	Can      []product.Capability // what the part's driver must be able to do
	Declares []string             // values that the product file must declare
	Clients  int                  // test identities of a real cloud
	Proxy    bool                 // the device is given an HTTP proxy, and nothing else leads to its API: T.Proxy
	World    bool                 // the part must be in the in-process internet, where its network can be made to misbehave: T.World, T.Access
}

// Risk is the first word of the id.
func (c *Check) Risk() string {
	risk, _, _ := strings.Cut(c.ID, ".")
	return risk
}

// Risk is one of the twelve ways in which connected products fail after launch, with its checks.
type Risk struct {
	ID     string
	Title  string
	Plain  string // the risk in plain words, two or three sentences
	Checks []*Check
}
