package artefact

import (
	"github.com/shakedown-test/shakedown/artefact/startup"
)

// findStartup reads what tells init programs what to start, and what they start.
func findStartup(c content, found *Found) {
	if c.node.File == nil || c.at > 0 {
		return
	}
	if f := startup.Parse(c.node.Name, c.data); f != nil {
		found.startup = append(found.startup, startup.Read{File: f, Node: c.node})
	}
}

// conclude finds what only all contents together tell.
func (f *Facts) conclude() {
	f.Starts = startup.Started(f.startup)
	f.CommandLines = f.commandLines()
}
