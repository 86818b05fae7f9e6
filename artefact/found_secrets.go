package artefact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/shakedown-test/shakedown/artefact/addresses"
	"github.com/shakedown-test/shakedown/artefact/assignments"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/artefact/search"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Secret is one that a rule found.
type Secret struct {
	Rule   *rules.Rule
	Value  string // the secret itself: it goes into no finding, record or file
	Node   *tree.Node
	Offset int64
}

// Shown is how a secret is told: redacted, with a fingerprint by which it is recognised.
func (s Secret) Shown() string { return Shown(s.Value) }

// Shown is how a secret is told: redacted, with the first 12 digits of its SHA-256, by which it is recognised.
func Shown(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return rules.Redact(secret) + ", SHA-256 " + hex.EncodeToString(h[:6]) + "…"
}

// Address is a URL with its place.
type Address struct {
	addresses.URL
	Node   *tree.Node
	Offset int64
}

// Assignment is a setting of a configuration file.
type Assignment struct {
	assignments.Assignment
	Node *tree.Node
}

// The ids of what is searched for: keys first, then the words of rules, of URLs, and what is known to everybody.
var (
	keyMarks   = keys.Patterns(0)
	ruleMarks  = rules.Patterns(len(keyMarks))
	urlMarks   = addresses.Patterns(len(keyMarks) + len(ruleMarks))
	knownMarks = wellKnownPatterns(len(keyMarks) + len(ruleMarks) + len(urlMarks))
	marks      = search.New(append(append(append(append([]search.Pattern(nil), keyMarks...), ruleMarks...), urlMarks...), knownMarks...))
)

const (
	mostHits = 200_000 // places of a stretch that may be keys: the bytes of no honest one have as many
	mostURLs = 20_000  // of a leaf
)

// findSecrets looks for keys, certificates, secrets and addresses, in one pass.
func findSecrets(c content, found *Found) {
	var items []keys.Item
	hits, full := 0, false
	secrets, urls := rules.NewReader(c.data), urlReader{known: map[string]bool{}}
	add := func(h rules.Hit) { found.addSecret(c, h) }
	marks.Each(c.data, func(id, at int) {
		if id < len(keyMarks) {
			if hits++; hits > mostHits || full || len(items) >= mostKeys {
				return
			}
			if i, ok := keys.Read(id, c.data, at); ok {
				if full = !found.takes(itemWeight(i)); !full {
					items = append(items, i)
				}
			}
			return
		}
		if id -= len(keyMarks); id < len(ruleMarks) {
			if len(found.Secrets) < mostKeys {
				secrets.Read(id, at, add)
			}
			return
		}
		if id -= len(ruleMarks); id < len(urlMarks) {
			if at >= c.fresh {
				urls.read(c, id, at, found)
			}
			return
		}
		if at >= c.fresh {
			found.addWellKnown(c, id-len(urlMarks), at)
		}
	})
	if hits > mostHits {
		found.note(c, "of %d places that may be keys %d were looked at", hits, mostHits)
	}
	if len(items) >= mostKeys {
		found.note(c, "it holds %d keys and certificates: no more were looked for", mostKeys)
	}
	if len(found.Secrets) >= mostKeys {
		found.note(c, "it holds %d secrets: no more were looked for", mostKeys)
	}
	found.addKeys(c, items)
}

// note tells of something odd in a content.
func (f *Found) note(c content, format string, args ...any) {
	c.node.Notes = append(c.node.Notes, tree.Note{Offset: c.at, Text: fmt.Sprintf(format, args...)})
}

// urlReader reads the URLs of a content, each once.
type urlReader struct {
	known map[string]bool // by the text; whether it was seen outside of comments
}

func (r *urlReader) read(c content, id, at int, found *Found) {
	text := addresses.Text(id, c.data, at)
	outside, known := r.known[string(text)]
	if outside || len(text) == 0 || !known && len(r.known) >= mostURLs {
		return
	}
	comment := addresses.Commented(id, c.data, at)
	if known && comment {
		return
	}
	r.known[string(text)] = !comment
	if u, ok := addresses.Parse(id, text, at); ok && found.takes(addressWeight+4*len(text)) {
		u.Comment = comment
		found.Addresses = append(found.Addresses, Address{u, c.node, c.at + int64(at)})
	}
}

// addSecret keeps a secret, once however many words of its rule stand around it.
func (f *Found) addSecret(c content, h rules.Hit) {
	if h.End <= c.fresh {
		return
	}
	offset := c.at + int64(h.Offset)
	for i := len(f.Secrets) - 1; i >= max(0, len(f.Secrets)-20); i-- {
		if s := f.Secrets[i]; s.Rule == h.Rule && s.Node == c.node && s.Offset == offset {
			return
		}
	}
	if len(f.Secrets) < mostKeys && f.takes(secretWeight+len(h.Secret)) {
		f.Secrets = append(f.Secrets, Secret{h.Rule, h.Secret, c.node, offset})
	}
}

// findAssignments reads configuration files.
func findAssignments(c content, found *Found) {
	if c.node.File == nil || c.at > 0 || !c.whole {
		return
	}
	for _, s := range assignments.Parse(c.node.Name, c.data) {
		found.Assignments = append(found.Assignments, Assignment{s, c.node})
	}
}
