package mqtt

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPayloadShown is how many bytes of a payload stand in JSON.
const maxPayloadShown = 256

// payloadJSON shows a payload: as text when it is printable UTF-8, else in hex, cut at 256 bytes, with its full size.
type payloadJSON struct {
	Text string `json:"payload,omitempty"`
	Hex  string `json:"payload_hex,omitempty"`
	Size int    `json:"payload_size,omitempty"`
}

func showPayload(b []byte) payloadJSON {
	cut := b[:min(len(b), maxPayloadShown)]
	if s, ok := printable(cut, len(cut) < len(b)); ok {
		return payloadJSON{Text: s, Size: len(b)}
	}
	return payloadJSON{Hex: hex.EncodeToString(cut), Size: len(b)}
}

// printable returns b as text when people can read it. When b was cut, half a character at its end is dropped.
func printable(b []byte, cut bool) (string, bool) {
	for n := 1; cut && n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				b = b[:len(b)-n]
			}
			break
		}
	}
	s := string(b)
	ok := utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) && r != '\n' && r != '\r' && r != '\t'
	})
	return s, ok
}

// MarshalJSON writes p for evidence: the type by name, codes as numbers, the payload as "payload" when it is printable UTF-8, else
// as "payload_hex", cut at 256 bytes, with the full size in "payload_size". Passwords and authentication data are left out.
func (p *Packet) MarshalJSON() ([]byte, error) {
	type plain Packet
	codes := make([]int, len(p.Codes))
	for i, c := range p.Codes {
		codes[i] = int(c)
	}
	shown := showPayload(p.Payload)
	return json.Marshal(struct {
		Type string `json:"type"`
		plain
		Codes   []int  `json:"codes,omitempty"`
		Payload string `json:"payload,omitempty"`
		Hex     string `json:"payload_hex,omitempty"`
		Size    int    `json:"payload_size,omitempty"`
	}{p.Type.String(), plain(*p), codes, shown.Text, shown.Hex, shown.Size})
}

// MarshalJSON writes w with its payload like that of a Packet.
func (w Will) MarshalJSON() ([]byte, error) {
	type plain Will
	shown := showPayload(w.Payload)
	return json.Marshal(struct {
		plain
		Payload string `json:"payload,omitempty"`
		Hex     string `json:"payload_hex,omitempty"`
		Size    int    `json:"payload_size,omitempty"`
	}{plain(w), shown.Text, shown.Hex, shown.Size})
}

// MarshalJSON writes p with its name beside the identifier and binary data in hex. Authentication data is left out.
func (p Property) MarshalJSON() ([]byte, error) {
	type plain Property
	shown := ""
	if p.ID != AuthData {
		shown = hex.EncodeToString(p.Data[:min(len(p.Data), maxPayloadShown)])
	}
	return json.Marshal(struct {
		Name string `json:"name"`
		plain
		Data string `json:"data,omitempty"`
	}{p.ID.String(), plain(p), shown})
}
