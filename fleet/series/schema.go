package series

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schema writes the JSON Schema of Record as JSON, which is made from its Go types. Readers must ignore properties they do not know: new
// ones may be added.
func Schema(w io.Writer) error {
	var words []any
	for _, t := range timingNames {
		words = append(words, t)
	}
	counts := &jsonschema.Schema{Type: "object", Description: "counters that are not zero", Properties: map[string]*jsonschema.Schema{}}
	for i, name := range counterNames {
		counts.Properties[name] = &jsonschema.Schema{Type: "integer", Minimum: new(0.0), Description: counterHelp[i]}
	}
	s, err := jsonschema.ForType(reflect.TypeFor[Record](), &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[Timing](): {Type: "string", Enum: words},
		reflect.TypeFor[Counts](): counts,
	}})
	if err != nil {
		return fmt.Errorf("write the schema of a series: %w", err)
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.ID, _, _ = strings.Cut(SchemaID, "#")
	s.Title = "What a fleet measured"
	s.Properties["schema"].Enum = []any{SchemaID}
	loose(s)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(s)
}

// loose allows properties that are not known yet.
func loose(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Not != nil {
		s.AdditionalProperties = nil
	}
	for _, p := range s.Properties {
		loose(p)
	}
	loose(s.Items)
}
