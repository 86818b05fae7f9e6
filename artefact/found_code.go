package artefact

import (
	"github.com/shakedown-test/shakedown/artefact/banner"
	"github.com/shakedown-test/shakedown/artefact/cipher"
	"github.com/shakedown-test/shakedown/artefact/request"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Banner is one of a kernel or boot loader with the node that it is in.
type Banner struct {
	banner.Banner
	Node *tree.Node
}

// CipherTable is the table of a cipher with the node that it is in.
type CipherTable struct {
	cipher.Table
	Node *tree.Node
}

// Page is a page or program of a web server, with the places where input of visitors becomes part of a command.
type Page struct {
	Node  *tree.Node
	Flows []request.Flow
}

// findCode finds what programs hold beside what they are made to run.
func findCode(c content, found *Found) {
	for _, b := range banner.Find(c.data) {
		if b.At >= int64(c.fresh) {
			b.At += c.at
			found.Banners = append(found.Banners, Banner{b, c.node})
		}
	}
	for _, t := range cipher.Tables(c.data) {
		if t.At >= int64(c.fresh) {
			t.At += c.at
			found.CipherTables = append(found.CipherTables, CipherTable{t, c.node})
		}
	}
	if c.node.File == nil || c.at > 0 {
		return
	}
	if _, ok := request.Served(c.node.Name, c.data); ok {
		found.Pages = append(found.Pages, Page{c.node, request.Flows(c.node.Name, c.data)})
	}
}
