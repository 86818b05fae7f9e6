package product

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	minDownload = 1 << 10
	maxDownload = 16 << 20
)

func (l *loader) httpRules(part *Part, at string) {
	h := part.HTTP
	if h == nil {
		return
	}
	if !l.product.Speaks(part.Name, HTTP) {
		l.fault(at, fmt.Sprintf("%s has no link of protocol http or https", part.Name), "add one under links:, or delete http")
	}
	l.urlPath(at+"/document", h.Document)
	l.urlPath(at+"/token", h.Token)
	l.tells(at+"/payload", h.Payload)
	if h.Payload != "" && (h.Type == "" || h.Type == "application/json") && !json.Valid([]byte(Fill(h.Payload, "id", 1, "token"))) {
		l.fault(at+"/payload", "not JSON", "write a document as the device takes it, or its media type under type:")
	}
	if l.has(at + "/effect") {
		l.effectRules(&h.Effect, at+"/effect")
	}
	d := h.Download
	if d == nil {
		return
	}
	at += "/download"
	l.urlPath(at+"/path", d.Path)
	if l.has(at+"/size") && (d.Size < minDownload || d.Size > maxDownload) {
		l.fault(at+"/size", fmt.Sprintf("a file of %d bytes", d.Size), fmt.Sprintf("write a size from %d to %d bytes", minDownload, maxDownload))
	}
	if d.Payload != "" {
		l.tells(at+"/payload", d.Payload)
	}
	if l.has(at + "/effect") {
		l.effectRules(&d.Effect, at+"/effect")
	}
}

// urlPath notes what cannot stand in a request line.
func (l *loader) urlPath(at, text string) {
	if text == "" {
		return
	}
	if !strings.HasPrefix(text, "/") || strings.ContainsAny(text, " ?#") {
		l.fault(at, fmt.Sprintf("%s is not a path", short(text)), "write it from the first slash on, without host and query, such as /v1/config")
	}
}

// tells notes a payload that is the same every time.
func (l *loader) tells(at, payload string) {
	if payload == "" || strings.Contains(payload, "{token}") || strings.Contains(payload, "{n}") {
		return
	}
	l.fault(at, "every document would be the same", "put {token} or {n} where the device takes a word or a number, so that one document can be told from the next")
}
