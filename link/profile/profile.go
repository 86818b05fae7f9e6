package profile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Profile is a network that products meet.
type Profile struct {
	Name    string // such as "nb-iot"
	Title   string
	Link    Place
	Models  string // what of the network is modelled, and what is not
	Figures []Figure
	Portal  *Portal // nil: none
	Proxy   *Proxy  // nil: none
	Schedule
}

// Portal is a captive portal between the network and the internet: plain HTTP to any address is answered by its login page.
type Portal struct {
	Answer Answer        // to plain HTTP
	Direct Manner        // what else goes out, TLS with it
	Lie    time.Duration // time to live of the answers of the DNS, which give every name the portal's address; 0: the DNS tells the truth

	// Opens is how long it is shut. It opens by itself then, as if a person had accepted its terms: no device does.
	Opens time.Duration
}

// Answer is how a portal answers plain HTTP.
type Answer string

// The answers.
const (
	Redirects Answer = "redirects" // 302 to the login page
	Serves    Answer = "serves"    // 200 with the login page
)

// Proxy is an HTTP proxy that is the only way to the internet, but for the names of the DNS and the time.
type Proxy struct {
	Direct Manner // what goes out directly
}

// Manner is how something is kept from going out.
type Manner string

// The manners.
const (
	Refused Manner = "refused" // TCP is reset, of the rest ICMP tells that it is prohibited
	Dropped Manner = "dropped" // without a word
)

// Place is the link that a profile describes.
type Place string

// The places.
const (
	Access Place = "access" // between the part and its network
	Uplink Place = "uplink" // between that network and the internet
)

// Figure is a number of a profile and where it is from.
type Figure struct {
	What   string
	Value  string
	Source string // OurChoice, or a document
}

// OurChoice is the source of a figure that nobody measured for us: it is plausible, and large enough to matter.
const OurChoice = "our choice"

// All are the profiles, by name.
func All() []Profile {
	return slices.SortedFunc(slices.Values(all), func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
}

// Names are the names of all profiles, in order.
func Names() []string {
	var names []string
	for _, p := range All() {
		names = append(names, p.Name)
	}
	return names
}

// Named is the profile of a name. Its error lists the names that there are.
func Named(name string) (Profile, error) {
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
	}
	return Profile{}, fmt.Errorf("no network profile is called %q\nhint: one of: %s", name, strings.Join(Names(), ", "))
}

// Apply puts the figures of the profile in force on a link, as one impairment, until undo or until the link is closed.
func (p Profile) Apply(l *frame.Link, clk *clock.Clock) (undo func()) {
	return p.Schedule.Apply(l, clk, "network profile "+p.Name)
}
