package payload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/product"
)

// MaxSize is the most bytes that a payload can have.
const MaxSize = 256 << 10

// Vars is what differs from message to message of one template.
type Vars struct {
	Class  string
	ID     string
	N      int   // of the device
	Child  int   // behind a hub
	Time   int64 // for {time}, {millis} and {ramp}: microseconds since 1970
	Stamp  Stamp // for {stamp}, {seq}, {tenant} and {canary}
	Seed   uint64
	Values []string // of the given names, in their order
}

// Template makes payloads. It is not changed by use, and can be used by several goroutines.
type Template struct {
	ops    []op
	size   int
	counts bool
}

// op appends one piece of a payload.
type op struct {
	kind    kind
	text    string // literal
	word    product.Placeholder
	given   int  // index of a given name
	ordinal int  // random: which of the template
	quoted  bool // text within a string of JSON
	item    bool // CBOR: not within a text string
}

// kind is what an op appends.
type kind uint8

const (
	literal kind = iota
	class
	id
	n
	tenant
	child
	seq
	seconds
	millis
	ramp
	random
	canary
	stamp
	fill
	given
	openText  // CBOR: a text string begins
	closeText // CBOR: it ends, and its head can be written
)

var kinds = map[string]kind{
	"class": class, "id": id, "n": n, "tenant": tenant, "child": child, "seq": seq, "time": seconds, "millis": millis,
	"ramp": ramp, "random": random, "canary": canary, "stamp": stamp, "fill": fill,
}

// number reports whether what is appended is a number.
func (k kind) number() bool { return n <= k && k <= random }

// Encodings are how a payload can be sent.
const (
	JSON      = "json"       // as it is written, which must be JSON
	CBOR      = "cbor"       // written as JSON, sent as RFC 8949: whole numbers as integers, others as doubles, no tags, lengths known
	SenML     = "senml"      // RFC 8428 in JSON, as it is written
	SenMLCBOR = "senml-cbor" // RFC 8428, written in JSON, sent in CBOR
	Bytes     = "bytes"      // as it is written
)

// media are the names of the encodings in HTTP and their numbers in CoAP.
var media = map[string]struct {
	name   string
	number uint16
}{
	JSON: {"application/json", 50}, CBOR: {"application/cbor", 60}, SenML: {"application/senml+json", 110},
	SenMLCBOR: {"application/senml+cbor", 112}, Bytes: {"application/octet-stream", 42},
}

// MediaType is the Content-Type of HTTP and of MQTT 5.0 for an encoding.
func MediaType(encoding string) string { return media[encoding].name }

// ContentFormat is the number of the Content-Format option of CoAP for an encoding: RFC 7252 section 12.3.
func ContentFormat(encoding string) uint16 { return media[encoding].number }

// Compile reads a template. The encoding "" is what product.EncodingOf says. With a size, {fill} stands for as much text as the payload needs to be
// that long. Beside the words of docs/fleet-file.md the text can have the given names.
func Compile(text, encoding string, size int, names ...string) (*Template, error) {
	if len(text) > MaxSize || size > MaxSize || size < 0 {
		return nil, fmt.Errorf("a payload of %d bytes: 0 to %d can be", max(len(text), size), MaxSize)
	}
	words, err := product.FindPlaceholders(text, names...)
	if err != nil {
		return nil, err
	}
	t := &Template{size: size}
	if encoding == "" {
		encoding = product.EncodingOf(text)
	}
	switch encoding {
	case Bytes:
		t.ops = plain(text, words)
	case JSON, SenML, CBOR, SenMLCBOR:
		if err := t.document(text, encoding, words); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("unknown encoding %q", encoding)
	}
	return t, t.finish(names)
}

// document compiles what is written as JSON.
func (t *Template) document(text, encoding string, words []product.Placeholder) error {
	p := parser{text: text, words: words, quoted: make([]bool, len(words))}
	root, err := p.document()
	if err != nil {
		return err
	}
	if encoding == SenML || encoding == SenMLCBOR {
		if err := checkSenML(root); err != nil {
			return err
		}
	}
	switch encoding {
	case CBOR:
		t.ops, err = encodeCBOR(root, nil)
	case SenMLCBOR:
		t.ops, err = encodeCBOR(root, senmlLabels)
	default:
		t.ops = plain(text, words)
		next := 0
		for i := range t.ops {
			if t.ops[i].kind != literal {
				t.ops[i].quoted = p.quoted[next]
				next++
			}
		}
	}
	return err
}

// plain are the ops of a text that is sent as it is written.
func plain(text string, words []product.Placeholder) []op {
	var out []op
	at := 0
	for _, w := range words {
		if w.From > at {
			out = append(out, op{text: text[at:w.From]})
		}
		out = append(out, opOf(w))
		at = w.To
	}
	if at < len(text) {
		out = append(out, op{text: text[at:]})
	}
	return out
}

func opOf(w product.Placeholder) op {
	k, ok := kinds[w.Name]
	if !ok {
		k = given
	}
	return op{kind: k, word: w}
}

// finish joins literals, numbers what needs a number, and looks whether the size can be.
func (t *Template) finish(names []string) error {
	var joined []op
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			joined = append(joined, op{text: text.String()})
			text = strings.Builder{}
		}
	}
	randoms, fills := 0, 0
	for _, o := range t.ops {
		if o.kind == literal {
			text.WriteString(o.text)
			continue
		}
		flush()
		switch o.kind {
		case given:
			o.given = slices.Index(names, o.word.Name)
		case random:
			randoms++
			o.ordinal = randoms
		case stamp:
			t.counts = true
		case fill:
			fills++
		}
		joined = append(joined, o)
	}
	flush()
	t.ops = slices.Clip(joined)
	switch least := len(t.Append(nil, &Vars{Values: make([]string, len(names))})); {
	case fills > 1:
		return fmt.Errorf("{fill} stands %d times: once is enough", fills)
	case fills == 1 && t.size == 0:
		return fmt.Errorf("{fill} without a size: nothing says up to where to fill")
	case fills == 0 && t.size > 0:
		return fmt.Errorf("a size of %d without {fill}: nothing says where to fill", t.size)
	case t.size > 0 && least > t.size:
		return fmt.Errorf("a size of %d: it has at least %d bytes without {fill}", t.size, least)
	}
	return nil
}

// Counts reports whether the payload has a stamp, so that its messages can be told apart and counted one by one.
func (t *Template) Counts() bool { return t.counts }

// Constant reports whether all payloads of the template are the same.
func (t *Template) Constant() bool {
	return len(t.ops) == 0 || len(t.ops) == 1 && t.ops[0].kind == literal
}

// Filter is the topic filter that takes in every topic of the template: a level with something in braces is any level, whatever stands there.
func Filter(topic string) string {
	levels := strings.Split(topic, "/")
	for i, level := range levels {
		if strings.Contains(level, "{") {
			levels[i] = "+"
		}
	}
	return strings.Join(levels, "/")
}
