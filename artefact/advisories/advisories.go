// Package advisories knows which versions of software are known to be attacked, to be vulnerable, or to be mended by nobody any more: by
// tables that come with the program, each with its day, and by a folder of newer lists where there is one.
//
// Such a folder may hold, at any depth: the catalogue of known exploited vulnerabilities of CISA as JSON, files of the endoflife.date API
// (named PRODUCT.json), and entries in the OSV schema, one a file.
package advisories

import (
	_ "embed"
	"encoding/csv"
	"io"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/artefact/versions"
)

// The days up to which the bundled tables were read. What of them was compared with its sources again, and when, they say themselves.
var (
	exploitedDay = time.Date(2026, 1, 26, 0, 0, 0, 0, time.UTC)
	lifetimesDay = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
)

var (
	//go:embed exploited.csv
	exploitedTable string
	//go:embed lifetimes.csv
	lifetimesTable string
)

// Exploited is a vulnerability that is known to be exploited, in a range of versions of a project.
type Exploited struct {
	Product string
	versions.Range
	ID    string
	Added string // day on which the catalogue took it up
	What  string
}

// Cycle is a series of versions of a product, and when it ends.
type Cycle struct {
	Name   string // "1.1.1": what its versions begin with
	End    time.Time
	Ended  bool // it has ended, and no day is told
	Source string
}

// Lists are all that is known.
type Lists struct {
	Exploited   []Exploited
	Catalogue   map[string]string // of a newer catalogue: ids of what is exploited, and the days on which they were taken up; nil: none was read
	Lifetimes   map[string][]Cycle
	ExploitedAt time.Time // of the newest list of exploited vulnerabilities
	LifetimesAt time.Time // of the newest list of ends of life; zero: of a file that does not tell
	Vulnerable  []Vulnerability
	Files       int      // entries of OSV that were read
	Notes       []string // what was wrong with files of the folder
}

// Bundled are the tables that come with the program.
func Bundled() *Lists {
	l := &Lists{Lifetimes: map[string][]Cycle{}, ExploitedAt: exploitedDay, LifetimesAt: lifetimesDay}
	for _, f := range rows(exploitedTable, 6) {
		l.Exploited = append(l.Exploited, Exploited{Product: f[0], Range: versions.Range{From: f[1], Before: f[2]}, ID: f[3], Added: f[4], What: f[5]})
	}
	for _, f := range rows(lifetimesTable, 4) {
		end, err := time.Parse(time.DateOnly, f[2])
		if err != nil {
			panic("advisories: lifetimes.csv: " + err.Error()) // a mistake in the program's own data
		}
		l.Lifetimes[f[0]] = append(l.Lifetimes[f[0]], Cycle{Name: f[1], End: end, Source: f[3]})
	}
	return l
}

// rows are those of a bundled table, each with so many fields.
func rows(table string, fields int) (all [][]string) {
	r := csv.NewReader(strings.NewReader(table))
	r.Comment, r.FieldsPerRecord = '#', fields
	for {
		row, err := r.Read()
		if err == io.EOF {
			return all
		}
		if err != nil {
			panic("advisories: " + err.Error()) // a mistake in the program's own data
		}
		all = append(all, row)
	}
}

// Attacks are the exploited vulnerabilities of a component by the version of its project.
func (l *Lists) Attacks(c components.Component) (found []Exploited) {
	if c.Product == "" || c.Upstream == "" {
		return nil
	}
	for _, e := range l.Exploited {
		if e.Product == c.Product && e.Holds(versions.Upstream, c.Upstream) && !hasID(found, e.ID) {
			found = append(found, e)
		}
	}
	return found
}

func hasID(all []Exploited, id string) bool {
	for _, e := range all {
		if e.ID == id {
			return true
		}
	}
	return false
}

// Life is the series that a component belongs to; false: its product or series is in no list.
func (l *Lists) Life(c components.Component) (Cycle, bool) {
	product := c.Product
	if product == "linux_kernel" && c.Distro == "cip" {
		product = "linux-cip"
	}
	best, ok := Cycle{}, false
	for _, cycle := range l.Lifetimes[product] {
		if within(c.Upstream, cycle.Name) && (!ok || len(cycle.Name) > len(best.Name)) {
			best, ok = cycle, true
		}
	}
	return best, ok
}

// within reports whether a version is of a series: 1.1.1w is of 1.1.1, and 1.10 is not of 1.1.
func within(version, cycle string) bool {
	version = strings.TrimPrefix(version, "v")
	rest, ok := strings.CutPrefix(version, cycle)
	return ok && cycle != "" && (rest == "" || rest[0] < '0' || rest[0] > '9')
}
