package tree

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
)

// However much a reader tells, what is kept of it is bounded.
func TestTold(t *testing.T) {
	for name, tell := range map[string]func(o *Opening, i int) error{
		"names": func(o *Opening, i int) error {
			_, err := o.Entry(strings.Repeat("a", 10_000)+fmt.Sprint(i), Regular(), nil)
			return err
		},
		"links": func(o *Opening, i int) error {
			_, err := o.Entry(fmt.Sprint(i), File{Target: strings.Repeat("a", 10_000)}, nil)
			return err
		},
		"infos": func(o *Opening, i int) error {
			o.Info(&struct{ list []string }{[]string{strings.Repeat("a", 10_000)}})
			o.Describe("%s", strings.Repeat("b", 10_000))
			o.Note(-1, "%s", strings.Repeat("c", 10_000))
			_, err := o.Entry(fmt.Sprint(i), Regular(), nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			talks := Format{ID: "talks", Title: "talks", Open: func(o *Opening) error {
				for i := range 10_000 {
					if err := tell(o, i); err != nil {
						return err
					}
				}
				return nil
			}}
			o, err := Open(context.Background(), "it", io.NewSectionReader(strings.NewReader("hello"), 0, 5), []Format{talks}, Limits{Depth: 1, Told: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			kept := Weight(o.Root.Info) + notesWeight(o.Root) + int64(len(o.Root.About))
			for _, c := range o.Root.Children {
				kept += int64(len(c.Name)+len(c.File.Target)) + nodeWeight
			}
			if last := o.Root.Notes[len(o.Root.Notes)-1].Text; kept > 2<<20 || len(o.Root.Children) < 100 || !strings.Contains(last, "takes more than 1048576 bytes") {
				t.Errorf("%d bytes in %d children, and in the end %q", kept, len(o.Root.Children), last)
			}
		})
	}
}

func TestWeight(t *testing.T) {
	type pair struct {
		name string
		next *pair
		list []int64
	}
	p := &pair{name: strings.Repeat("a", 100), list: make([]int64, 50)}
	p.next = p
	for _, c := range []struct {
		value any
		want  int64
	}{{nil, 0}, {p, 100 + 400 + 48}, {map[string]string{"abc": "defgh"}, 8 + 16 + 16 + 16}, {&Node{Name: "x"}, 0}} {
		if got := Weight(c.value); got != c.want {
			t.Errorf("%T: %d bytes, want %d", c.value, got, c.want)
		}
	}
}
