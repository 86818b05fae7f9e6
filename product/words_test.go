package product

import "reflect"

// FleetWords are all keys of the fleet file, and all words that can stand in braces in it, with their brace. A test outside
// of the package asks for them.
func FleetWords() []string {
	var out []string
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] || t == reflect.TypeFor[Client]() {
			return
		}
		seen[t] = true
		for _, f := range fields(t) {
			out = append(out, f.key)
			visit(t.FieldByIndex(f.index).Type)
		}
	}
	visit(reflect.TypeFor[Fleet]())
	for _, word := range messageWords {
		out = append(out, "{"+word)
	}
	return out
}
