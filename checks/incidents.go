package checks

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/shakedown-test/shakedown/evidence"
)

//go:embed incidents.csv
var incidentsCSV string

// incident is a row of the corpus, with the risks it is an example of.
type incident struct {
	evidence.Incident
	risks []string
}

var incidents = sync.OnceValue(func() []incident {
	var all []incident
	for _, r := range register("incidents.csv", incidentsCSV, "id", "product", "broke", "risks", "sources") {
		all = append(all, incident{
			Incident: evidence.Incident{ID: r[0], Product: r[1], Broke: r[2], Source: r[4]},
			risks:    strings.Fields(r[3]),
		})
	}
	return all
})

// Incidents returns the corpus of documented failures in the field, in the order of their ids. The source of an incident is one or
// more addresses, separated by spaces: mostly press and reports of users, seldom the maker's own account.
func Incidents() []evidence.Incident {
	all := make([]evidence.Incident, 0, len(incidents()))
	for _, i := range incidents() {
		all = append(all, i.Incident)
	}
	return all
}

// IncidentsOf returns the incidents that are examples of a risk. One incident may belong to several risks.
func IncidentsOf(risk string) []evidence.Incident {
	var found []evidence.Incident
	for _, i := range incidents() {
		if slices.Contains(i.risks, risk) {
			found = append(found, i.Incident)
		}
	}
	return found
}

// Incident returns the incident with the id, such as "INC-044".
func Incident(id string) (evidence.Incident, bool) {
	i := slices.IndexFunc(incidents(), func(i incident) bool { return i.ID == id })
	if i < 0 {
		return evidence.Incident{}, false
	}
	return incidents()[i].Incident, true
}
