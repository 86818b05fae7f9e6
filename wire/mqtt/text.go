package mqtt

import (
	"fmt"
	"strconv"
	"strings"
)

// maxShown is how many bytes of a name stand in the line for people.
const maxShown = 120

var typeNames = [...]string{
	"", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK",
	"PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String gives the name of the standard, such as "PUBLISH", or "reserved type 0".
func (t Type) String() string {
	if t == 0 || int(t) >= len(typeNames) {
		return fmt.Sprintf("reserved type %d", byte(t))
	}
	return typeNames[t]
}

// String gives "3.1.1", "5.0" or "level 3" for a level that is neither.
func (v Version) String() string {
	switch v {
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return fmt.Sprintf("level %d", byte(v))
}

// String gives the name of the standard in lower case, such as "topic alias", or "property 0x7F".
func (id PropID) String() string {
	if r, ok := propertyRules[id]; ok {
		return r.name
	}
	return fmt.Sprintf("property 0x%02X", byte(id))
}

// String gives the packet in one line for people, such as `PUBLISH q1 dup id=7 "a/b" 12 B`. It holds no payload, user name or
// password, and long names are cut.
func (p *Packet) String() string {
	words := []string{p.Type.String()}
	switch p.Type {
	case CONNECT:
		words = append(words, p.Connect.words()...)
	case CONNACK:
		words = append(words, CodeName(p.Type, p.version(), p.Code))
		if p.SessionPresent {
			words = append(words, "session-present")
		}
	case PUBLISH:
		words = append(words, p.publishWords()...)
	case PINGREQ, PINGRESP:
	case DISCONNECT, AUTH:
		if p.version() == V5 {
			words = append(words, CodeName(p.Type, V5, p.Code))
		}
	default:
		words = append(words, p.exchangeWords()...)
	}
	return strings.Join(words, " ")
}

func (c *Connect) words() []string {
	if c == nil {
		return nil
	}
	version := "level " + strconv.Itoa(int(c.Level))
	switch c.Level {
	case V311:
		version = "v3.1.1"
	case V5:
		version = "v5"
	}
	words := []string{version, quote(c.ClientID)}
	if c.Clean {
		words = append(words, "clean")
	}
	words = append(words, fmt.Sprintf("keep-alive %d s", c.KeepAlive))
	if w := c.Will; w != nil {
		words = append(words, fmt.Sprintf("will q%d %s %d B", w.QoS, quote(w.Topic), len(w.Payload)))
	}
	return words
}

func (p *Packet) publishWords() []string {
	words := []string{fmt.Sprintf("q%d", p.QoS)}
	if p.Dup {
		words = append(words, "dup")
	}
	if p.Retain {
		words = append(words, "retain")
	}
	if p.QoS > 0 {
		words = append(words, fmt.Sprintf("id=%d", p.ID))
	}
	words = append(words, quote(p.Topic))
	if alias := p.Props.Int(TopicAlias, 0); alias != 0 {
		words = append(words, fmt.Sprintf("alias=%d", alias))
	}
	return append(words, fmt.Sprintf("%d B", len(p.Payload)))
}

// exchangeWords is for the packets with a packet identifier other than PUBLISH.
func (p *Packet) exchangeWords() []string {
	const maxEntries = 8
	words := []string{fmt.Sprintf("id=%d", p.ID)}
	if p.Code != 0 {
		words = append(words, CodeName(p.Type, p.version(), p.Code))
	}
	for _, f := range p.Filters[:min(len(p.Filters), maxEntries)] {
		words = append(words, quote(f.Filter))
		if p.Type == SUBSCRIBE {
			words = append(words, fmt.Sprintf("q%d", f.QoS))
		}
	}
	for _, c := range p.Codes[:min(len(p.Codes), maxEntries)] {
		words = append(words, CodeName(p.Type, p.version(), c))
	}
	if n := max(len(p.Filters), len(p.Codes)) - maxEntries; n > 0 {
		words = append(words, fmt.Sprintf("and %d more", n))
	}
	return words
}

// quote puts s into quotes, escaped so that it stays one printable line, and cuts it.
func quote(s string) string {
	if len(s) <= maxShown {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%q… (%d B)", s[:maxShown], len(s))
}
