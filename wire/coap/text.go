package coap

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what stands in evidence: bytes of a payload or an option in JSON, and of a path in the line for people.
const (
	maxPayloadShown = 256
	maxShown        = 120
)

// String gives CON, NON, ACK or RST.
func (t Type) String() string { return [4]string{"CON", "NON", "ACK", "RST"}[t&3] }

var methods = [...]string{"Empty", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"}

// String gives the name of a method, "Empty", or a status such as "2.05".
func (c Code) String() string {
	if int(c) < len(methods) {
		return methods[c]
	}
	return fmt.Sprintf("%d.%02d", c.Class(), c&31)
}

// String gives the name of the registry, or "option 65000".
func (id OptionID) String() string {
	if r, ok := rules[id]; ok {
		return r.name
	}
	return "option " + strconv.Itoa(int(id))
}

// String gives num/more/size, such as "3/1/64".
func (b Block) String() string {
	more := 0
	if b.More {
		more = 1
	}
	return fmt.Sprintf("%d/%d/%d", b.Num, more, b.Size())
}

// String gives the message in one line for people, such as "CON POST id=0x1a2b TKN=7f01 /telemetry 34 B". It holds no payload.
func (m *Message) String() string {
	words := []string{m.Type.String(), m.Code.String(), fmt.Sprintf("id=0x%04x", m.ID)}
	if len(m.Token) > 0 {
		words = append(words, "TKN="+hex.EncodeToString(m.Token))
	}
	if m.Code.Request() {
		words = append(words, cut(m.Path()))
	}
	for _, o := range m.Options {
		if len(words) > 12 {
			words = append(words, "…")
			break
		}
		switch o.ID {
		case URIPath, URIHost, URIPort, ContentFormat:
		case Block1, Block2:
			if b, ok := (&Message{Options: []Option{o}}).Block(o.ID); ok {
				words = append(words, o.ID.String()+"="+b.String())
			}
		default:
			words = append(words, cut(o.ID.String()+"="+o.text()))
		}
	}
	if len(m.Payload) > 0 {
		words = append(words, strconv.Itoa(len(m.Payload))+" B")
	}
	return strings.Join(words, " ")
}

func cut(s string) string {
	if len(s) > maxShown {
		s = s[:maxShown] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '.'
		}
		return r
	}, s)
}

// text is the value for people: a number, a text, or hex.
func (o Option) text() string {
	v := o.Value[:min(len(o.Value), maxPayloadShown)]
	switch r := rules[o.ID]; {
	case r.format == 'u' && len(v) <= 4:
		return strconv.FormatUint(uint64(number(v)), 10)
	case r.format == 's' && utf8.Valid(v):
		return string(v)
	}
	return hex.EncodeToString(v)
}

// MarshalJSON writes an option with its name and a readable value.
func (o Option) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name  string `json:"name"`
		ID    int    `json:"id"`
		Value string `json:"value,omitempty"`
	}{o.ID.String(), int(o.ID), o.text()})
}

// MarshalJSON writes m for evidence: names for type and code, the token in hex as "tkn" (what is called token would be blanked as a secret), the payload as "payload" when it is printable UTF-8,
// else as "payload_hex", cut at 256 bytes, with the full size in "payload_size".
func (m *Message) MarshalJSON() ([]byte, error) {
	type plain Message
	shown := m.Payload[:min(len(m.Payload), maxPayloadShown)]
	text, inHex := string(shown), ""
	if !utf8.Valid(shown) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }) {
		text, inHex = "", hex.EncodeToString(shown)
	}
	return json.Marshal(struct {
		Type string `json:"type"`
		Code string `json:"code"`
		*plain
		Token   string   `json:"tkn,omitempty"`
		Options []Option `json:"options,omitempty"`
		Payload string   `json:"payload,omitempty"`
		Hex     string   `json:"payload_hex,omitempty"`
		Size    int      `json:"payload_size,omitempty"`
	}{m.Type.String(), m.Code.String(), (*plain)(m), hex.EncodeToString(m.Token), m.Options, text, inHex, len(m.Payload)})
}
