package security

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// KernelAge looks at how old the kernel and the boot loader are.
var KernelAge = &check.Check{
	ID:       "security.kernel-age",
	Title:    "Ships a kernel and a boot loader of recent years",
	Why:      "What is old at launch stays unpatched for the whole life of the product: nobody brings fixes to series that are given up.",
	Pass:     "at launch, or today, the series of the kernel came out at most 6 years before, it was built at most 24 months before, and U-Boot is at most 5 years old",
	Fix:      "Move to a kernel series with long-term support, and build it anew from its newest release.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.3-8", "CRA:I.2a", "ISTG:FW-CONF-001"},
	Rows:         []string{"FW-KERNEL-AGE"},
	Sources:      []string{"kernel.org: no series is kept for more than 6 years", "our choice: 24 months between build and launch, 5 years of U-Boot"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("kernels and boot loaders that say their version", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		at := t.Clock.Now()
		if launch := t.Product.Launch; !launch.IsZero() && launch.After(at) {
			at = launch.Time
		}
		for _, b := range f.Banners {
			t.Record("%s: %s %s, built %s", b.Node.Path(), b.Program, b.Version, told(b.Built))
		}
		return len(f.Banners), judgeAges(f.Banners, at)
	}),
}

// released are the months in which the first release of a series of Linux came out, by kernel.org. A series between two of them is taken
// for the one before.
var released = []struct {
	major, minor int
	at           string
}{
	{2, 4, "2001-01"},
	{2, 6, "2003-12"},
	{3, 0, "2011-07"},
	{3, 2, "2012-01"},
	{3, 4, "2012-05"},
	{3, 10, "2013-06"},
	{3, 14, "2014-03"},
	{3, 16, "2014-08"},
	{3, 18, "2014-12"},
	{4, 0, "2015-04"},
	{4, 1, "2015-06"},
	{4, 4, "2016-01"},
	{4, 9, "2016-12"},
	{4, 14, "2017-11"},
	{4, 19, "2018-10"},
	{5, 0, "2019-03"},
	{5, 4, "2019-11"},
	{5, 10, "2020-12"},
	{5, 15, "2021-10"},
	{6, 1, "2022-12"},
	{6, 6, "2023-10"},
	{6, 12, "2024-11"},
}

// judgeAges finds what is too old at a time. A program that is in several places is told of once.
func judgeAges(all []artefact.Banner, at time.Time) (findings []check.Finding) {
	seen := map[string]bool{}
	find := func(b artefact.Banner, severity check.Severity, title, why string) {
		if !seen[title] {
			seen[title] = true
			findings = append(findings, check.Finding{Severity: severity, Title: title, Seen: fmt.Sprintf("%s at %#x: %s %s, built %s; %s", b.Node.Path(), b.At, b.Program, b.Version, told(b.Built), why)})
		}
	}
	for _, b := range all {
		if b.Program == "U-Boot" {
			if out := loader(b); !out.IsZero() && out.AddDate(5, 0, 0).Before(at) {
				find(b, check.Info, "Ships U-Boot "+b.Version, "that is of "+out.Format("January 2006"))
			}
			continue
		}
		if out := series(b.Version); !out.IsZero() && out.AddDate(6, 0, 0).Before(at) {
			find(b, check.Major, "Ships Linux "+b.Version, "its series came out in "+out.Format("January 2006"))
		} else if !b.Built.IsZero() && b.Built.AddDate(0, 24, 0).Before(at) {
			find(b, "", "Ships a kernel that was built in "+b.Built.Format("2006"), "fixes since then are not in it")
		}
	}
	return findings
}

// series is when the series of a version of Linux came out; zero: that is not known, or it is newer than the table.
func series(version string) time.Time {
	number := strings.SplitN(version, ".", 3)
	if len(number) < 2 {
		return time.Time{}
	}
	major, _ := strconv.Atoi(number[0])
	minor, _ := strconv.Atoi(number[1])
	if newest := released[len(released)-1]; major > newest.major || major == newest.major && minor > newest.minor {
		return time.Time{}
	}
	var out time.Time
	for _, r := range released {
		if r.major < major || r.major == major && r.minor <= minor {
			out, _ = time.Parse("2006-01", r.at)
		}
	}
	return out
}

// loader is when a U-Boot came out: since 2008 its version says that.
func loader(b artefact.Banner) time.Time {
	if out, err := time.Parse("2006.01", b.Version); err == nil {
		return out
	}
	return b.Built
}

func told(at time.Time) string {
	if at.IsZero() {
		return "at a time that it does not tell"
	}
	return at.Format(time.DateOnly)
}
