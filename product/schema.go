package product

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// The descriptions in the schema are the comments of the types: there is no second text to keep true.
//
//go:embed product.go
var productSource string

//go:embed fleet.go
var fleetSource string

// Schema is the JSON Schema (2020-12) of the product file, for editors that complete and explain keys. It checks shapes; what
// Load checks beyond them is not in it.
func Schema() ([]byte, error) { return schema(reflect.TypeFor[Product](), productForm) }

// FleetSchema is the JSON Schema of the fleet file.
func FleetSchema() ([]byte, error) { return schema(reflect.TypeFor[Fleet](), fleetForm) }

func schema(t reflect.Type, file form) ([]byte, error) {
	comments := map[string]string{}
	for _, source := range []string{productSource, fleetSource} {
		if err := fieldComments(source, comments); err != nil {
			return nil, err
		}
	}
	s := schemaOf(t, field{}, comments)
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "Shakedown " + file.what
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema of the %s: %w", file.what, err)
	}
	return append(out, '\n'), nil
}

func schemaOf(t reflect.Type, f field, comments map[string]string) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[Date]():
		return &jsonschema.Schema{Type: "string", Format: "date"}
	case reflect.TypeFor[Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^\+?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`}
	case reflect.TypeFor[Role]():
		return enum(texts(roles))
	case reflect.TypeFor[Protocol]():
		return enum(texts(linkProtocols))
	case reflect.TypeFor[Capability]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{enum(texts(capabilities)), {Type: "string", Pattern: `^(trigger|query)\..+$`}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), f, comments)
	case reflect.Slice:
		if f.named {
			return &jsonschema.Schema{Type: "object", MinProperties: new(1), MaxProperties: new(maxEntries), AdditionalProperties: schemaOf(t.Elem(), field{}, comments)}
		}
		return &jsonschema.Schema{Type: "array", Items: schemaOf(t.Elem(), field{}, comments)}
	case reflect.Map:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: schemaOf(t.Elem(), field{}, comments)}
	case reflect.Struct:
		return structSchema(t, comments)
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Int:
		return &jsonschema.Schema{Type: "integer"}
	case reflect.Float64:
		number := &jsonschema.Schema{Type: "number"}
		if !f.percent {
			return number
		}
		number.Minimum, number.Maximum = new(0.0), new(1.0)
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{number, {Type: "string", Pattern: `^\s*[0-9]+(\.[0-9]+)?\s*%\s*$`}}}
	}
	return &jsonschema.Schema{Types: []string{"string", "number"}} // numbers are read as they are written
}

func structSchema(t reflect.Type, comments map[string]string) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type:                 "object",
		Properties:           map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, f := range fields(t) {
		of := t.FieldByIndex(f.index)
		property := schemaOf(of.Type, f, comments)
		property.Description = comments[f.owner+"."+of.Name]
		s.Properties[f.key] = property
		s.PropertyOrder = append(s.PropertyOrder, f.key)
		if f.required {
			s.Required = append(s.Required, f.key)
		}
	}
	return s
}

func enum(values []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, v)
	}
	return s
}

// fieldComments finds the comment beside every struct field, as "Type.Field".
func fieldComments(source string, out map[string]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("read comments of the product types: %w", err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range of.Fields.List {
				for _, name := range f.Names {
					out[spec.Name.Name+"."+name.Name] = strings.TrimSpace(f.Comment.Text())
				}
			}
		}
		return true
	})
	return nil
}
