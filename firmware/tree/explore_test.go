package tree

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// box is a format for tests: "BX", a length in two bytes, and what lies in it.
var box = Format{ID: "box", Title: "box", Magic: []Magic{{0, "BX"}}, Search: true, Open: func(o *Opening) error {
	head, err := o.Read(0, 4)
	if err != nil {
		return ErrNot
	}
	size := int64(binary.LittleEndian.Uint16(head[2:]))
	if size > o.Size()-4 {
		return Bad(2, "it is said to hold %d bytes", size)
	}
	o.Ends(4 + size)
	_, err = o.Part("inside", 4, size)
	return err
}}

// double is a format that holds its data twice over: "DD" and the data.
var double = Format{ID: "double", Title: "double", Magic: []Magic{{0, "DD"}}, Open: func(o *Opening) error {
	_, err := o.Made("twice", func(w io.Writer) error {
		for range 2 {
			if _, err := io.Copy(w, io.NewSectionReader(o.Data, 2, o.Size()-2)); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}}

func boxed(content string) string {
	return "BX" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(content)))) + content
}

func open(t *testing.T, data string, limits Limits) *Node {
	t.Helper()
	o, err := Open(context.Background(), "it", io.NewSectionReader(strings.NewReader(data), 0, int64(len(data))), []Format{box, double}, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}

func drawn(n *Node) string {
	var b strings.Builder
	for n := range n.All() {
		fmt.Fprintf(&b, "%s %s %d", n.Path(), n.Format, n.Size())
		for _, note := range n.Notes {
			fmt.Fprintf(&b, " (%s)", note)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestOpen(t *testing.T) {
	for name, c := range map[string]struct {
		data   string
		limits Limits
		want   string
	}{
		"nothing known": {"hello", Limits{}, "it  5\n"},
		"whole":         {boxed("hello"), Limits{}, "it box 9\nit: inside at 0x4  5\n"},
		"nested":        {boxed(boxed("hello")), Limits{}, "it box 13\nit: inside at 0x4 box 9\nit: inside at 0x4: inside at 0x4  5\n"},
		"padded":        {boxed("hello") + "\xff\xff\xff", Limits{}, "it box 12\nit: inside at 0x4  5\n"},
		"followed": {
			boxed("hello") + "and more",
			Limits{},
			"it  17\nit: box at 0x0 box 9\nit: box at 0x0: inside at 0x4  5\nit: data at 0x9  8\n",
		},
		"in the midst": {
			"before" + boxed("one") + boxed("two") + "after",
			Limits{},
			"it  25\nit: data at 0x0  6\nit: box at 0x6 box 7\nit: box at 0x6: inside at 0x4  3\nit: box at 0xd box 7\nit: box at 0xd: inside at 0x4  3\nit: data at 0x14  5\n",
		},
		"lies": {"BX\xff\xffhello", Limits{}, "it  9 (at 0x2: it begins like box, and is none: it is said to hold 65535 bytes)\n"},
		"made": {"DDabc", Limits{}, "it double 5\nit: twice  6\n"},
		"too deep": {
			boxed(boxed(boxed("hello"))),
			Limits{Depth: 2},
			"it box 17\nit: inside at 0x4 box 13\nit: inside at 0x4: inside at 0x4  9 (more than is opened: it is nested 2 deep)\n",
		},
		"too much": {
			"DD" + strings.Repeat("x", 100),
			Limits{Bytes: 150},
			"it double 102 (more than is opened: it unpacks to more than 150 bytes in all)\nit: twice  100 (more than is opened: it unpacks to more than 150 bytes in all)\n",
		},
		"too many": {
			boxed("a") + boxed("b") + boxed("c"),
			Limits{Nodes: 3},
			"it  15 (not all of it was opened: more than is opened: it holds more than 3 things)\nit: box at 0x0 box 5\nit: box at 0x0: inside at 0x4  1\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := drawn(open(t, c.data, c.limits))
			if got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// What begins in one window of the search and ends in another is found, wherever it begins.
func TestSearchAcrossWindows(t *testing.T) {
	for _, at := range []int{window - 5, window - 1, window, window + 1, 2*window - 3} {
		data := strings.Repeat("-", at) + boxed("hello") + strings.Repeat("-", 10)
		got := drawn(open(t, data, Limits{}))
		if !strings.Contains(got, fmt.Sprintf("box at %#x box 9\n", at)) {
			t.Errorf("at %d: not found in\n%s", at, got)
		}
	}
}

func TestPanicsAndEnds(t *testing.T) {
	broken := Format{ID: "broken", Title: "broken", Open: func(*Opening) error { panic("index out of range") }}
	data := io.NewSectionReader(bytes.NewReader([]byte("hello")), 0, 5)
	o, err := Open(context.Background(), "it", data, []Format{broken}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if len(o.Root.Notes) != 1 || !strings.Contains(o.Root.Notes[0].Text, "its reader failed: index out of range") {
		t.Errorf("notes: %v", o.Root.Notes)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ended, err := Open(ctx, "it", data, []Format{box}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer ended.Close()
	if len(ended.Root.Notes) != 1 || !strings.Contains(ended.Root.Notes[0].Text, context.Canceled.Error()) {
		t.Errorf("notes: %v", ended.Root.Notes)
	}
}

func TestEntriesStayInside(t *testing.T) {
	var names []string
	escapes := Format{ID: "escapes", Title: "escapes", Open: func(o *Opening) error {
		for _, name := range []string{"../../etc/passwd", "/etc/passwd", "a/../b", "", "ok", "nul\x00"} {
			n, err := o.Entry(name, Regular(), func(w io.Writer) error { return errors.New("cannot be read") })
			if err != nil {
				return err
			}
			names = append(names, n.Name)
		}
		return nil
	}}
	o, err := Open(context.Background(), "it", io.NewSectionReader(strings.NewReader("hello"), 0, 5), []Format{escapes}, Limits{Depth: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if got, want := fmt.Sprint(names), "[etc/passwd etc/passwd b . ok nul?]"; got != want {
		t.Errorf("names %s, want %s", got, want)
	}
	if len(o.Root.Notes) != 2 || len(o.Root.Children[0].Notes) != 1 {
		t.Errorf("notes %v and %v", o.Root.Notes, o.Root.Children[0].Notes)
	}
}

// TestSearchInVain has a format read everything at each of its many beginnings: that must end.
func TestSearchInVain(t *testing.T) {
	tries := 0
	greedy := Format{ID: "greedy", Title: "greedy", Magic: []Magic{{Bytes: "GRDY"}}, Search: true, Open: func(o *Opening) error {
		tries++
		for at := int64(0); at < o.Size(); at += 1 << 20 {
			if _, err := o.Read(at, int(min(1<<20, o.Size()-at))); err != nil {
				return err
			}
		}
		return ErrNot
	}}
	data := strings.Repeat("xxGRDYxx", 1<<20)
	o, err := Open(t.Context(), "hostile", io.NewSectionReader(strings.NewReader(data), 0, int64(len(data))), []Format{greedy}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if tries > 50 || len(o.Root.Notes) != 1 {
		t.Errorf("%d tries, notes %v", tries, o.Root.Notes)
	}
}

// What is made of zeros is read back as it was made, also where something else had been written before that came to nothing.
func TestZerosAreMade(t *testing.T) {
	in := Format{ID: "vain", Title: "vain", Open: func(o *Opening) error {
		if _, err := o.Made("noise", func(w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte("noise"), 1<<20))
			return err
		}); err != nil {
			return err
		}
		return ErrNot
	}}
	zeros := make([]byte, 3*atOnce)
	contents := [][]byte{zeros, append([]byte("before"), zeros...), append(bytes.Clone(zeros), "behind"...), make([]byte, 10*atOnce)}
	made := Format{ID: "made", Title: "made", Open: func(o *Opening) error {
		for _, c := range contents {
			if _, err := o.Made("content", func(w io.Writer) error {
				_, err := io.Copy(w, bytes.NewReader(c))
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}}
	o, err := Open(t.Context(), "it", io.NewSectionReader(strings.NewReader("hello"), 0, 5), []Format{in, made}, Limits{Depth: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for i, n := range o.Root.Children {
		if got, err := n.Read(1 << 30); err != nil || !bytes.Equal(got, contents[i]) {
			t.Errorf("content %d: %d bytes of %d, %v", i, len(got), len(contents[i]), err)
		}
	}
	if len(o.Root.Children) != len(contents) {
		t.Errorf("%d contents", len(o.Root.Children))
	}
}
