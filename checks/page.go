package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
)

// Page is the catalogue page of a check, in Markdown.
func Page(c *check.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n`%s` · %s · %s\n\n", c.Title, c.ID, c.Severity, impact(c.Impact))
	fmt.Fprintf(&b, "**Why:** %s\n\n**Criterion:** %s\n\n**First thing to try:** %s\n\n", c.Why, sentence(c.Pass), sentence(c.Fix))
	fmt.Fprintf(&b, "**Needs** %s. Takes about %s, at most %s, of device time.\n", strings.Join(c.Needs.Words(), "; "), span(c.Typical), span(c.Limit))

	var evidenceFor, incidents []string
	for _, id := range c.Requirements {
		r, _ := Requirement(id)
		evidenceFor = append(evidenceFor, strings.TrimSuffix(fmt.Sprintf("%s %s: %s, %s", r.Scheme, r.Clause, r.Topic, r.Level), ", "))
	}
	for _, id := range c.Incidents {
		i, _ := Incident(id)
		incidents = append(incidents, fmt.Sprintf("%s, %s: %s. <%s>", i.ID, i.Product, i.Broke, strings.ReplaceAll(i.Source, " ", "> <")))
	}
	section(&b, "Gives evidence for", evidenceFor)
	section(&b, "Seen in the field", incidents)
	section(&b, "Sources of the criterion", c.Sources)
	section(&b, "Rows of the catalogue", quoted(c.Rows))
	return b.String()
}

// Index is the front page of the catalogue, in Markdown: every check by risk, with links to the pages.
func Index(risks []check.Risk) string {
	var b strings.Builder
	total := 0
	for _, r := range risks {
		total += len(r.Checks)
	}
	fmt.Fprintf(&b, "# The catalogue\n\n%d checks in %d risks. These pages are printed from the checks themselves.\n", total, len(risks))
	for _, r := range risks {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", r.Title, r.Plain)
		covered, of := coverage(r, risks)
		fmt.Fprintf(&b, "Of %d documented incidents, %d are named by a check.\n", of, covered)
		if len(r.Checks) == 0 {
			b.WriteString("\nNo check yet.\n")
			continue
		}
		b.WriteString("\n| check | holds when the part | severity |\n|---|---|---|\n")
		for _, c := range r.Checks {
			_, slug, _ := strings.Cut(c.ID, ".")
			fmt.Fprintf(&b, "| [%s](%s/%s.md) | %s | %s |\n", c.ID, r.ID, slug, cell(lowerFirst(c.Title)), c.Severity)
		}
	}
	return b.String()
}

// RowsPage is the page of the catalogue's rows, in Markdown: which checks carry out each, or why none does.
func RowsPage(risks []check.Risk) string {
	by := map[string][]string{}
	for _, r := range risks {
		for _, c := range r.Checks {
			for _, id := range c.Rows {
				by[id] = append(by[id], c.ID)
			}
		}
	}
	var b strings.Builder
	b.WriteString("# Rows of the catalogue\n\nWhat to try on TLS and MQTT, and the checks that do it. This page is printed from the checks.\n\n")
	b.WriteString("| row | subject | checks |\n|---|---|---|\n")
	for _, r := range Rows() {
		checks := strings.Join(quoted(by[r.ID]), ", ")
		switch {
		case checks == "" && r.NotBuilt != "":
			checks = "not built: " + r.NotBuilt
		case checks == "":
			checks = "none yet"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.ID, cell(r.Subject), cell(checks))
	}
	return b.String()
}

// coverage counts the incidents of a risk, and those among them that any check names.
func coverage(r check.Risk, risks []check.Risk) (covered, of int) {
	named := map[string]bool{}
	for _, other := range risks {
		for _, c := range other.Checks {
			for _, id := range c.Incidents {
				named[id] = true
			}
		}
	}
	all := IncidentsOf(r.ID)
	for _, i := range all {
		if named[i.ID] {
			covered++
		}
	}
	return covered, len(all)
}

func section(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, item := range items {
		fmt.Fprintf(b, "- %s\n", item)
	}
}

func impact(i check.Impact) string {
	switch i {
	case check.Observes:
		return "observes the part only"
	case check.Disturbs:
		return "disturbs the world around the part"
	}
	return "restarts the part"
}

func quoted(ids []string) []string {
	all := slices.Clone(ids)
	for i, id := range all {
		all[i] = "`" + id + "`"
	}
	return all
}

// span writes a duration without the zeros that time.Duration puts behind it.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// sentence ends a text with a full stop, where it does not end already.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, "!") {
		return s
	}
	return s + "."
}

func lowerFirst(s string) string { return strings.ToLower(s[:min(1, len(s))]) + s[min(1, len(s)):] }

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
