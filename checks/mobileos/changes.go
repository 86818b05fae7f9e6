package mobileos

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
)

// Change is something that a version of a phone OS changed and that breaks apps of devices.
type Change struct {
	Topic    string
	OS       string      // Android or iOS
	Version  string      // of the OS
	Level    app.Version // Android: the API level from which on it holds for apps that target it, as Major; iOS: the version
	Released time.Time   // the OS
	What     string
	Source   string
}

// String is how a finding names it.
func (c Change) String() string {
	return fmt.Sprintf("%s %s, %s: %s", c.OS, c.Version, c.Released.Format(time.DateOnly), c.What)
}

// Deadline is what a store asks for from a day on of what is uploaded.
type Deadline struct {
	Store     string
	From      time.Time
	Level     int  // Google Play: the API level that is targeted; App Store: the SDK that it is built with
	Confirmed bool // the store has said so; otherwise it follows from the rule that it keeps
	Source    string
}

//go:embed changes.csv
var changesCSV string

//go:embed deadlines.csv
var deadlinesCSV string

// Changes are those that are known, in the order of the versions.
var Changes = sync.OnceValue(func() (list []Change) {
	for _, r := range records(changesCSV) {
		list = append(list, Change{r[0], r[1], r[2], level(r[3]), day(r[4]), r[5], r[6]})
	}
	return list
})

// Deadlines are those of the stores, the earliest of each first.
var Deadlines = sync.OnceValue(func() (list []Deadline) {
	for _, r := range records(deadlinesCSV) {
		list = append(list, Deadline{r[0], day(r[1]), level(r[2]).Major, r[3] == "yes", r[4]})
	}
	return list
})

// records are those of a table of ours, without its head: a mistake in it is one in the program.
func records(text string) [][]string {
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("mobileos: %v", err))
	}
	return all[1:]
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(fmt.Sprintf("mobileos: %v", err))
	}
	return t
}

func level(s string) app.Version {
	major, minor, _ := strings.Cut(s, ".")
	a, err := strconv.Atoi(major)
	if err != nil {
		panic(fmt.Sprintf("mobileos: %v", err))
	}
	b, _ := strconv.Atoi(minor)
	return app.Version{Major: a, Minor: b}
}

// change is the one of a topic; checks name only those that are there, which a test sees to.
func change(os, topic string) Change {
	i := slices.IndexFunc(Changes(), func(c Change) bool { return c.OS == os && c.Topic == topic })
	if i < 0 {
		panic(fmt.Sprintf("mobileos: no change %s of %s", topic, os))
	}
	return Changes()[i]
}

// due is the last demand of a store that holds on a day.
func due(store string, on time.Time) (d Deadline, ok bool) {
	for _, one := range Deadlines() {
		if one.Store == store && !one.From.After(on) {
			d, ok = one, true
		}
	}
	return d, ok
}

// launch is the day on which the product is launched, or today where the product file does not say.
func launch(t *check.T) time.Time {
	if !t.Product.Launch.IsZero() {
		return t.Product.Launch.Time
	}
	return t.Clock.Now()
}

// late finds that something is below what a store asks for on the day of the launch.
func late(store, what string, has int, on time.Time) []check.Finding {
	d, ok := due(store, on)
	if !ok || has >= d.Level {
		return nil
	}
	f := check.Finding{
		Title: fmt.Sprintf("Is refused by %s: %s %d, not %d", store, what, has, d.Level),
		Seen:  fmt.Sprintf("%s %d; from %s on %s takes new apps and updates only from %d on (%s)", what, has, d.From.Format(time.DateOnly), store, d.Level, d.Source),
	}
	if !d.Confirmed {
		f.Severity = check.Major
		f.Title = fmt.Sprintf("Will be refused by %s if it keeps its rule: %s %d, not %d", store, what, has, d.Level)
		f.Seen += "; the store has not announced this step yet, it follows from its rule of one year"
	}
	return []check.Finding{f}
}
