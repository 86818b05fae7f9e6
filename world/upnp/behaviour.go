package upnp

import "time"

// Behaviour is how a gateway behaves. The zero value is a friendly WANIPConnection:2.
type Behaviour struct {
	Absent   bool   // nothing answers a search: there is none, or UPnP is switched off
	Version1 bool   // offers WANIPConnection:1, which knows no AddAnyPortMapping
	Location string // in answers to a search, in place of its own: another host, another port, https
	Garbage  bool   // its descriptions and answers are no XML

	Refuse        int           // the UPnP error with which it refuses every new mapping
	PermanentOnly bool          // refuses leases other than 0 with error 725
	Shift         int           // maps the port that is so much higher than the one asked for; AddPortMapping does not say so
	Lease         Lease         // what it makes of leases
	Slow          time.Duration // device time before it answers an action
}

// Lease is what a gateway makes of the leases that it is asked for.
type Lease int

// What it makes of them.
const (
	Honoured Lease = iota
	Ignored        // the mapping stays for ever, and is shown with the lease that was asked for
	Zeroed         // the mapping stays for ever, and is shown so
	Cut            // the mapping ends after a quarter of its lease, and after an hour when it was to stay for ever
)

// Errors of UPnP (WANIPConnection:2, section 2.5; UPnP Device Architecture 1.1, section 3.2.2).
const (
	InvalidAction      = 401
	InvalidArgs        = 402
	ActionFailed       = 501
	NotAuthorized      = 606
	NoSuchIndex        = 713
	NoSuchEntry        = 714
	WildcardPort       = 716
	Conflict           = 718
	OnlyPermanent      = 725
	NoPortMapsLeft     = 728
	WildcardNotAllowed = 715
)

var errorTexts = map[int]string{
	InvalidAction: "Invalid Action", InvalidArgs: "Invalid Args", ActionFailed: "Action Failed", NotAuthorized: "Action not authorized",
	NoSuchIndex: "SpecifiedArrayIndexInvalid", NoSuchEntry: "NoSuchEntryInArray", WildcardNotAllowed: "WildCardNotPermittedInSrcIP",
	WildcardPort: "WildCardNotPermittedInExtPort", Conflict: "ConflictInMappingEntry", OnlyPermanent: "OnlyPermanentLeasesSupported",
	NoPortMapsLeft: "NoPortMapsAvailable",
}

// granted is how long a mapping stays for which a lease was asked, and how long the gateway says that it does; 0: for ever.
func (b Behaviour) granted(lease time.Duration) (stays, says time.Duration) {
	switch b.Lease {
	case Ignored:
		return 0, lease
	case Zeroed:
		return 0, 0
	case Cut:
		if lease == 0 {
			return time.Hour, 0
		}
		return lease / 4, lease
	}
	return lease, lease
}
