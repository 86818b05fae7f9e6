package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// group is what one check showed in one way, over the variants.
type group struct {
	check    evidence.CheckInfo
	finding  evidence.Finding // the first one
	also     int              // other findings of the check in the group
	variants []string
	share    float64
	shared   bool // whether the share is known
}

// grouped is groups in the order in which their checks came. Findings of one check make one group, but for those with different
// reasons of acceptance.
type grouped []*group

func (gs *grouped) add(c Case, f evidence.Finding) {
	for _, g := range *gs {
		if g.check.ID != c.Check.ID || g.finding.Accepted != f.Accepted {
			continue
		}
		if !slices.Contains(g.variants, c.Variant) {
			g.variants = append(g.variants, c.Variant)
			g.share += c.Share
		}
		if f.Title != g.finding.Title {
			g.also++
		}
		return
	}
	shared := c.Share > 0 || !c.Users
	*gs = append(*gs, &group{check: c.Check, finding: f, variants: []string{c.Variant}, share: c.Share, shared: shared})
}

// byReach puts first what reaches most users.
func (gs grouped) byReach() {
	slices.SortStableFunc(gs, func(a, b *group) int { return cmp.Compare(b.share, a.share) })
}

// say is the sentence of a finding: the check, what it saw, how bad and for whom.
func (g *group) say(how string) string {
	title := strings.TrimSuffix(g.finding.Title, ".")
	if g.also > 0 {
		title += fmt.Sprintf(" (and %d more)", g.also)
	}
	return sentence(g.check.ID+": "+title+"; "+how, "")
}

// unknown is the sentence of a check that is not decided.
func (g *group) unknown(what string) string {
	where := ""
	if names := g.names(); names != "" {
		where = " on " + names
	}
	reason := g.finding.Title
	if g.also > 0 {
		reason += fmt.Sprintf("; %d more reasons", g.also)
	}
	return sentence(fmt.Sprintf("%s %s%s", g.check.ID, what, where), reason)
}

// reach says who is affected, to follow the severity.
func (g *group) reach() string {
	names := g.names()
	switch {
	case g.shared && names != "":
		return " for " + Percent(g.share) + " of users (" + names + ")"
	case g.shared:
		return " for " + Percent(g.share) + " of users"
	case names != "":
		return " on " + names
	}
	return ""
}

func (g *group) names() string {
	named := slices.DeleteFunc(slices.Clone(g.variants), func(v string) bool { return v == "" })
	return Join(named)
}

// Join lists names as a sentence does: "a", "a and b", "a, b and c".
func Join(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Percent is a share of users as people read it, "70 %". What is neither none nor all is never rounded to it.
func Percent(share float64) string {
	p := math.Round(share * 100)
	switch {
	case p <= 0 && share > 0:
		return "under 1 %"
	case p >= 100 && share < 0.9999:
		return "over 99 %"
	}
	return fmt.Sprintf("%.0f %%", p)
}

// sentence joins a statement and what explains it, and ends with one full stop.
func sentence(what, why string) string {
	if why != "" {
		what += ": " + why
	}
	return strings.TrimRight(what, ". ") + "."
}

// unchecked says that no check is about these risks.
func unchecked(risks []string) string {
	if len(risks) == 1 {
		return sentence(risks[0]+" is not assessed", "this version has no checks for it; assess it by other means and exclude it with a reason")
	}
	return sentence(Join(risks)+" are not assessed", "this version has no checks for them; assess them by other means and exclude each with a reason")
}

// leftOut names the excluded risks, those with the same reason in one sentence.
func leftOut(risks []Risk) (sentences []string) {
	var reasons []string
	titles := map[string][]string{}
	for _, r := range risks {
		if r.Excluded == "" {
			continue
		}
		if titles[r.Excluded] == nil {
			reasons = append(reasons, r.Excluded)
		}
		titles[r.Excluded] = append(titles[r.Excluded], r.Title)
	}
	for _, reason := range reasons {
		verb := " is"
		if len(titles[reason]) > 1 {
			verb = " are"
		}
		sentences = append(sentences, sentence(Join(titles[reason])+verb+" left out of this decision", reason))
	}
	return sentences
}

// played names the parts that were not under test.
func played(standIns []string) (sentences []string) {
	for _, name := range standIns {
		sentences = append(sentences, sentence(fmt.Sprintf("%q was played by Shakedown", name), "nothing is known of the real one"))
	}
	return sentences
}

// silent says why nothing is known of a risk that has checks.
func silent(r evidence.RiskInfo, cases []Case) string {
	what := fmt.Sprintf("%s (%s) is not assessed", r.Title, r.ID)
	applicable := slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return c.Outcome == evidence.NotApplicable })
	switch {
	case len(applicable) == 0:
		return sentence(what, "none of its checks applies to this product; exclude it with a reason if that is right")
	case len(applicable) == 1:
		return sentence(what, "its one check could not be run: "+applicable[0].Reason)
	}
	return sentence(what, fmt.Sprintf("none of its %d checks could be run: %s", len(applicable), applicable[0].Reason))
}

const withRisks = "Nothing that was found stands in the way of a launch; the risks that it takes are named."

func clean(cases []Case) string {
	small := 0
	for _, c := range cases {
		small += len(c.Findings)
	}
	switch small {
	case 0:
		return fmt.Sprintf("All %d checks that apply were decided, and none found anything.", decided(cases))
	case 1:
		return fmt.Sprintf("All %d checks that apply were decided; the one finding is small.", decided(cases))
	}
	return fmt.Sprintf("All %d checks that apply were decided; the %d findings are small.", decided(cases), small)
}
