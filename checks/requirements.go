package checks

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed requirements.csv
var requirementsCSV string

// Level says how binding a requirement is within its scheme.
type Level string

// The levels. A mandatory clause may still depend on a condition, such as that the product has passwords at all.
const (
	Mandatory   Level = "mandatory"
	Recommended Level = "recommended"
	Unrated     Level = "" // the scheme does not grade its clauses
)

// Req is a clause of a regulation, standard or baseline that checks give evidence for. Topic is in our words: the text of the clause
// itself counts.
type Req struct {
	ID     string // scheme and clause, as checks write it: "EN303645:5.9-3"
	Scheme string // such as "ETSI EN 303 645 v3.1.3"
	Clause string // within the scheme, such as "5.9-3"
	Topic  string
	Level  Level
}

// schemes are the full names by the first word of an id.
var schemes = map[string]string{
	"CRA":      "EU Cyber Resilience Act, Regulation (EU) 2024/2847, Annex I",
	"EN303645": "ETSI EN 303 645 v3.1.3",
	"NIST8425": "NIST IR 8425",
	"PSTI":     "UK PSTI Regulations 2023, Schedule 1",
	"ISTG":     "OWASP IoT Security Testing Guide",
	"IOT10":    "OWASP IoT Top 10 (2018)",
	"API10":    "OWASP API Security Top 10 (2023)",
}

var requirements = sync.OnceValue(func() []Req {
	var all []Req
	for _, r := range register("requirements.csv", requirementsCSV, "id", "level", "topic") {
		scheme, clause, _ := strings.Cut(r[0], ":")
		all = append(all, Req{ID: r[0], Scheme: schemes[scheme], Clause: clause, Topic: r[2], Level: Level(r[1])})
	}
	return all
})

// Requirements returns the requirement register, scheme by scheme in the order of the clauses.
func Requirements() []Req {
	return slices.Clone(requirements())
}

// Requirement returns the requirement with the id, such as "CRA:I.2h".
func Requirement(id string) (Req, bool) {
	i := slices.IndexFunc(requirements(), func(r Req) bool { return r.ID == id })
	if i < 0 {
		return Req{}, false
	}
	return requirements()[i], true
}
