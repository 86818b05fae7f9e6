package artefact

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

func examined(t *testing.T, data []byte) *Facts {
	t.Helper()
	f, err := Examine(context.Background(), Source{Part: "it", File: "it", Data: io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Bytes between the parts of a content are looked at, as those of the parts are, and none twice.
func TestPieces(t *testing.T) {
	data := io.NewSectionReader(bytes.NewReader(make([]byte, 1000)), 0, 1000)
	root := &tree.Node{Name: "it", Data: data}
	part := func(name string, at, size int64) *tree.Node {
		n := &tree.Node{Name: name, Offset: at, Data: io.NewSectionReader(data, at, size), Parent: root}
		root.Children = append(root.Children, n)
		return n
	}
	part("late", 600, 300)
	part("early", 10, 90)
	part("within", 620, 10)
	root.Children = append(root.Children, &tree.Node{Name: "made", Offset: -1, Data: io.NewSectionReader(data, 0, 5), Parent: root})
	var got []string
	var from, to []int64
	for _, p := range pieces(root) {
		got, from, to = append(got, p.node.Name), append(from, p.from), append(to, p.to)
	}
	if diff := cmp.Diff([]string{"it", "it", "late", "early", "within", "made"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{100, 900, 0, 0, 0, 0}, from) + cmp.Diff([]int64{600, 1000, 300, 90, 10, 5}, to); diff != "" {
		t.Error(diff)
	}
}

func TestOpaque(t *testing.T) {
	noise := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{7}).Read(noise)
	if f := examined(t, noise); f.Opaque < f.Size*98/100 {
		t.Errorf("%d of %d random bytes are opaque", f.Opaque, f.Size)
	}
	if f := examined(t, bytes.Repeat([]byte("all work and no play "), 1<<15)); f.Opaque > 0 || f.Profile[3] > 5 {
		t.Errorf("%d bytes of a text are opaque, of %.1f bits", f.Opaque, f.Profile[3])
	}
}

// A fault of one search is told, and is not the end of the others.
func TestGuarded(t *testing.T) {
	all := examiners
	defer func() { examiners = all }()
	examiners = append([]func(content, *Found){func(content, *Found) { panic("index out of range") }}, all...)
	f := examined(t, []byte("root::0:0:99999:7:::\n"))
	if len(f.Unsearched) != 1 || f.Unsearched[0] != "it: index out of range" {
		t.Errorf("unsearched: %q", f.Unsearched)
	}
}

func TestEmpty(t *testing.T) {
	if f := examined(t, nil); f.Size != 0 || len(f.Profile) != 0 || f.Opaque != 0 {
		t.Errorf("an empty artefact is %+v", f)
	}
}
