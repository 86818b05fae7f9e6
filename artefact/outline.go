package artefact

import (
	"fmt"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// outlinedNotes of a content are listed.
const outlinedNotes = 10

// Outline is what the artefact holds, as far as lines go. Without files, those of file systems and archives that nothing lies in are only
// counted.
func (f *Facts) Outline(lines int, files bool) evidence.Opened {
	o := evidence.Opened{Part: f.Part, File: f.File, Size: f.Size, SHA256: f.SHA256, Opaque: f.Opaque, Profile: f.Profile, Lines: []evidence.Content{}}
	outline(&o, f.Root, 0, lines, files)
	return o
}

func outline(o *evidence.Opened, n *tree.Node, depth, lines int, files bool) {
	if n.File != nil && n.Leaf() && len(n.Notes) == 0 && !files {
		return
	}
	if len(o.Lines) >= lines {
		o.Left++
	} else {
		c := evidence.Content{Depth: depth, Name: n.Name, Format: n.Format, About: n.About, Offset: n.Offset, Size: n.Size()}
		for _, child := range n.Children {
			if child.File != nil && child.File.Mode.IsRegular() {
				c.Files++
			}
		}
		for _, note := range n.Notes[:min(len(n.Notes), outlinedNotes)] {
			c.Notes = append(c.Notes, note.String())
		}
		if more := len(n.Notes) - len(c.Notes); more > 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("and %d more", more))
		}
		if n.File != nil && n.File.Target != "" {
			c.About = "-> " + n.File.Target
		}
		o.Lines = append(o.Lines, c)
	}
	for _, child := range n.Children {
		outline(o, child, depth+1, lines, files)
	}
}
