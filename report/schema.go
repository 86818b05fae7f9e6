package report

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// words are the types that have a closed list of values.
var words = map[reflect.Type][]string{
	reflect.TypeFor[verdict.Readiness](): {string(verdict.Ready), string(verdict.ReadyWithRisks), string(verdict.NotReady), string(verdict.NotEnough)},
	reflect.TypeFor[verdict.State]():     {string(verdict.Clear), string(verdict.Findings), string(verdict.Partly), string(verdict.NotAssessed), string(verdict.Excluded)},
	reflect.TypeFor[evidence.Severity](): {string(evidence.Blocker), string(evidence.Major), string(evidence.Minor), string(evidence.Info)},
	reflect.TypeFor[evidence.BreakKind](): {
		string(evidence.EndOwn), string(evidence.EndRoot), string(evidence.EndServer), string(evidence.EndPath), string(evidence.EndPin),
		string(evidence.EndProfile), string(evidence.RuleBegins), string(evidence.DateLaunch), string(evidence.DateSupport),
	},
	reflect.TypeFor[evidence.LimitOutcome](): {string(evidence.LimitHeld), string(evidence.LimitBroken), string(evidence.LimitUnknown)},
	reflect.TypeFor[evidence.Outcome]():      {string(evidence.Pass), string(evidence.Fail), string(evidence.NotApplicable), string(evidence.NotRun)},
}

// node is a JSON Schema (draft 2020-12), as far as Document needs it.
type node struct {
	Draft       string          `json:"$schema,omitempty"`
	ID          string          `json:"$id,omitempty"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Type        string          `json:"type,omitempty"`
	Format      string          `json:"format,omitempty"`
	Enum        []string        `json:"enum,omitempty"`
	Minimum     *int            `json:"minimum,omitempty"`
	Items       *node           `json:"items,omitempty"`
	Properties  map[string]node `json:"properties,omitempty"`
	Required    []string        `json:"required,omitempty"`
}

// Schema writes the JSON Schema of Document, which is made from its Go types. Readers must ignore properties they do not know: new
// ones may be added.
func Schema(w io.Writer) error {
	n := describe(reflect.TypeFor[Document]())
	n.Draft = "https://json-schema.org/draft/2020-12/schema"
	n.ID, _, _ = strings.Cut(SchemaID, "#")
	n.Title = "The results of a Shakedown run"
	id := n.Properties["schema"]
	id.Enum = []string{SchemaID}
	n.Properties["schema"] = id
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(n)
}

func describe(t reflect.Type) node {
	if list, ok := words[t]; ok {
		return node{Type: "string", Enum: list}
	}
	if t == reflect.TypeFor[time.Time]() {
		return node{Type: "string", Format: "date-time"}
	}
	switch t.Kind() {
	case reflect.Slice:
		items := describe(t.Elem())
		return node{Type: "array", Items: &items}
	case reflect.Bool:
		return node{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return node{Type: "integer"}
	case reflect.Uint64:
		return node{Type: "integer", Minimum: new(int)}
	case reflect.Float64:
		return node{Type: "number"}
	case reflect.String:
		return node{Type: "string"}
	}
	n := node{Type: "object", Properties: map[string]node{}}
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := describe(f.Type)
		p.Description = f.Tag.Get("doc")
		n.Properties[name] = p
		if option != "omitempty" {
			n.Required = append(n.Required, name)
		}
	}
	return n
}
