package evidence

import "time"

// Break is a day on which something ends, and who notices.
type Break struct {
	When  time.Time `json:"when"`
	Kind  BreakKind `json:"kind"`
	What  string    `json:"what"`  // what ends, or begins to hold
	Where string    `json:"where"` // where it lies or who sends it
	Who   string    `json:"who"`   // for whom it breaks; empty for dates to compare with
}

// BreakKind is what sort of thing ends.
type BreakKind string

// The kinds.
const (
	EndOwn      BreakKind = "certificate" // of the product's own, in what is shipped
	EndRoot     BreakKind = "root"        // that something needs
	EndServer   BreakKind = "server"      // a certificate that a server sends, which its operator renews
	EndPath     BreakKind = "path"        // of clients that build paths in a simple way
	EndPin      BreakKind = "pin"         // the pinned key of a certificate that is replaced
	EndProfile  BreakKind = "profile"     // of the provisioning of an app
	RuleBegins  BreakKind = "rule"        // of public authorities
	DateLaunch  BreakKind = "launch"      // of the product: to compare with
	DateSupport BreakKind = "support"     // its end: to compare with
)
