package profile

import (
	"fmt"
	"slices"
	"strings"

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
	Schedule
}

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

// Apply puts the profile in force on a link, as one impairment, until undo or until the link is closed.
func (p Profile) Apply(l *frame.Link, clk *clock.Clock) (undo func()) {
	return p.Schedule.Apply(l, clk, "network profile "+p.Name)
}
