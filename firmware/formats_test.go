package firmware

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the page of formats anew")

// page is where people read what is opened.
const page = "../docs/formats.md"

// What docs/formats.md lists is what is opened; what it says beside the list is written by hand.
func TestFormatsPage(t *testing.T) {
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- formats: go test ./firmware -update -->\n", "<!-- end of formats -->\n"
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, also := strings.Cut(rest, end)
	if !ok || !also {
		t.Fatalf("%s has no place for the list", page)
	}
	var list strings.Builder
	list.WriteString("| id | what | found in the midst of other data |\n|---|---|---|\n")
	seen := map[string]bool{}
	for _, f := range Formats {
		if f.Title == "" || seen[f.ID] {
			t.Errorf("format %q has no title, or is there twice", f.ID)
		}
		seen[f.ID] = true
		search := ""
		if f.Search {
			search = "yes"
		}
		fmt.Fprintf(&list, "| `%s` | %s | %s |\n", f.ID, f.Title, search)
	}
	want := before + begin + list.String() + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(old)); diff != "" {
		t.Errorf("run go test ./firmware -update (-want +got):\n%s", diff)
	}
}
