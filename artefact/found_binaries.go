package artefact

import (
	"github.com/shakedown-test/shakedown/artefact/hardening"
	"github.com/shakedown-test/shakedown/firmware/elf"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Binary is a program or library of Linux with the node that it is.
type Binary struct {
	hardening.Binary
	Node *tree.Node
}

// findBinaries looks at the ELF files.
func findBinaries(c content, found *Found) {
	f, ok := c.node.Info.(*elf.File)
	if !ok || c.at > 0 {
		return
	}
	file := c.node.File
	if file == nil && c.node.Parent != nil {
		file = c.node.Parent.File // something is appended to it
	}
	runs := file != nil && file.Mode&0o111 != 0
	if b, ok := hardening.Of(f); ok && (b.Told || runs) { // a boot loader is linked as a static program is
		found.Binaries = append(found.Binaries, Binary{b, c.node})
	}
}

// Listeners are the programs among them that take connections or messages of others, as far as the names of functions tell.
func Listeners(all []Binary) (list []Binary) {
	for _, b := range all {
		if b.Listens() {
			list = append(list, b)
		}
	}
	return list
}

// Nodes are those of binaries.
func Nodes(all []Binary) (nodes []*tree.Node) {
	for _, b := range all {
		nodes = append(nodes, b.Node)
	}
	return nodes
}
