package checks

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// register reads an embedded table. A broken one is a mistake in the build and panics.
func register(name, text string, columns ...string) [][]string {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("register %s: %v", name, err))
	}
	if len(records) == 0 || !slices.Equal(records[0], columns) {
		panic(fmt.Sprintf("register %s: the first line must be %s", name, strings.Join(columns, ",")))
	}
	return records[1:]
}
