package endpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// Hello is a ClientHello (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2) and the Data of a Hello event. Lists keep the order of
// the wire and any GREASE values.
type Hello struct {
	ServerName      string   `json:"server_name,omitempty"`
	Versions        []uint16 `json:"versions"` // supported_versions, or else the one version field
	CipherSuites    []uint16 `json:"cipher_suites"`
	ALPN            []string `json:"alpn,omitempty"`
	Extensions      []uint16 `json:"extensions,omitempty"`
	MaxFragment     int      `json:"max_fragment,omitempty"`      // bytes (RFC 6066, section 4); 0: not asked for
	RecordSizeLimit int      `json:"record_size_limit,omitempty"` // bytes (RFC 8449); 0: not asked for
	OCSP            bool     `json:"ocsp"`                        // status_request
	SessionTicket   bool     `json:"session_ticket"`
}

// String is one line for people.
func (h Hello) String() string {
	versions := make([]string, len(h.Versions))
	for i, v := range h.Versions {
		versions[i] = VersionName(v)
	}
	name := h.ServerName
	if name == "" {
		name = "no server name"
	}
	return fmt.Sprintf("%s; %s; %d cipher suites", name, strings.Join(versions, ", "), len(h.CipherSuites))
}

// The content types and message types of TLS that we speak ourselves (RFC 8446, sections 4 and 5.1).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22

	messageClientHello       = 1
	messageServerHello       = 2
	messageCertificate       = 11
	messageServerHelloDone   = 14
	messageClientKeyExchange = 16
)

// The extensions that are looked into (IANA, TLS ExtensionType Values).
const (
	extServerName        = 0
	extMaxFragment       = 1
	extStatusRequest     = 5
	extALPN              = 16
	extRecordSizeLimit   = 28
	extSessionTicket     = 35
	extSupportedVersions = 43
	extRenegotiation     = 0xff01
)

const (
	maxRecord = 1 << 14 // bytes of plaintext (RFC 8446, section 5.1)
	maxHello  = 1 << 16 // bytes; crypto/tls has the same limit
)

var (
	errPlain     = errors.New("not a TLS record")
	errMalformed = errors.New("malformed ClientHello")
)

// readHello reads records until a ClientHello is complete. raw is all that was read. The error wraps errPlain when the first bytes
// are no TLS handshake record, errMalformed when the records or the message are wrong, or is the reader's.
func readHello(r io.Reader) (raw []byte, h *Hello, err error) {
	var message []byte
	for {
		start := len(raw)
		if start == 0 { // up to a record header, but no waiting for more than what is there: plain bytes can be few
			raw = make([]byte, 5)
			n, err := r.Read(raw)
			raw = raw[:n]
			if n == 0 && err != nil {
				return nil, nil, err
			}
			if n > 0 && (raw[0] != recordHandshake || n > 1 && raw[1] != 3) {
				return raw, nil, errPlain
			}
		}
		if raw, err = readMore(r, raw, start+5); err != nil {
			return raw, nil, err
		}
		size := int(binary.BigEndian.Uint16(raw[start+3:]))
		if raw[start] != recordHandshake || raw[start+1] != 3 || size == 0 || size > maxRecord {
			return raw, nil, fmt.Errorf("%w: offset %d: record of type %d, %d bytes", errMalformed, start, raw[start], size)
		}
		if raw, err = readMore(r, raw, start+5+size); err != nil {
			return raw, nil, err
		}
		message = append(message, raw[start+5:]...)
		if message[0] != messageClientHello {
			return raw, nil, fmt.Errorf("%w: offset 5: message of type %d", errMalformed, message[0])
		}
		if len(message) < 4 {
			continue
		}
		need := 4 + int(message[1])<<16 + int(message[2])<<8 + int(message[3])
		if need > maxHello {
			return raw, nil, fmt.Errorf("%w: offset 6: %d bytes", errMalformed, need)
		}
		if len(message) >= need {
			h, err = parseHello(message[4:need])
			return raw, h, err
		}
	}
}

// readMore reads until b has size bytes.
func readMore(r io.Reader, b []byte, size int) ([]byte, error) {
	have := len(b)
	if have >= size {
		return b, nil
	}
	b = append(b, make([]byte, size-have)...)
	n, err := io.ReadFull(r, b[have:])
	return b[:have+n], err
}

// parseHello parses the body of a ClientHello. Offsets in errors count from its beginning.
func parseHello(body []byte) (*Hello, error) {
	s := cryptobyte.String(body)
	bad := func(what string) (*Hello, error) {
		return nil, fmt.Errorf("%w: offset %d: %s", errMalformed, len(body)-len(s), what)
	}
	var legacy uint16
	var session, suites, compression, extensions cryptobyte.String
	if !s.ReadUint16(&legacy) || !s.Skip(32) {
		return bad("version or random cut off")
	}
	if !s.ReadUint8LengthPrefixed(&session) {
		return bad("session id cut off")
	}
	if !s.ReadUint16LengthPrefixed(&suites) || len(suites)%2 != 0 {
		return bad("cipher suites")
	}
	if !s.ReadUint8LengthPrefixed(&compression) {
		return bad("compression methods cut off")
	}
	h := &Hello{Versions: []uint16{legacy}, CipherSuites: uint16s(suites)}
	if s.Empty() {
		return h, nil
	}
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return bad("length of the extensions")
	}
	for at := len(body) - len(extensions); !extensions.Empty(); at = len(body) - len(extensions) {
		var id uint16
		var value cryptobyte.String
		if !extensions.ReadUint16(&id) || !extensions.ReadUint16LengthPrefixed(&value) {
			return nil, fmt.Errorf("%w: offset %d: extension cut off", errMalformed, at)
		}
		h.Extensions = append(h.Extensions, id)
		if !h.extension(id, value) {
			return nil, fmt.Errorf("%w: offset %d: content of extension %d", errMalformed, at, id)
		}
	}
	return h, nil
}

// extension notes what one extension says; false when it is malformed.
func (h *Hello) extension(id uint16, v cryptobyte.String) bool {
	var list cryptobyte.String
	switch id {
	case extServerName:
		var kind uint8
		var name cryptobyte.String
		if !v.ReadUint16LengthPrefixed(&list) || !list.ReadUint8(&kind) || !list.ReadUint16LengthPrefixed(&name) {
			return false
		}
		h.ServerName = strings.ToValidUTF8(string(name), "?")
	case extMaxFragment:
		var code uint8
		if !v.ReadUint8(&code) || code < 1 || code > 4 {
			return false
		}
		h.MaxFragment = 256 << code
	case extALPN:
		if !v.ReadUint16LengthPrefixed(&list) {
			return false
		}
		for !list.Empty() {
			var protocol cryptobyte.String
			if !list.ReadUint8LengthPrefixed(&protocol) {
				return false
			}
			h.ALPN = append(h.ALPN, strings.ToValidUTF8(string(protocol), "?"))
		}
	case extRecordSizeLimit:
		var limit uint16
		if !v.ReadUint16(&limit) {
			return false
		}
		h.RecordSizeLimit = int(limit)
	case extSupportedVersions:
		if !v.ReadUint8LengthPrefixed(&list) || len(list)%2 != 0 {
			return false
		}
		h.Versions = uint16s(list)
	case extStatusRequest:
		h.OCSP = true
	case extSessionTicket:
		h.SessionTicket = true
	}
	return true
}

func uint16s(s cryptobyte.String) []uint16 {
	all := make([]uint16, 0, len(s)/2)
	for v := uint16(0); s.ReadUint16(&v); {
		all = append(all, v)
	}
	return all
}

// looksLike says in a word what plain bytes are.
func looksLike(b []byte) string {
	switch {
	case len(b) > 0 && b[0] == 0x10: // MQTT 3.1.1, section 2.2.1: CONNECT, flags 0
		return "MQTT CONNECT"
	case len(b) > 2 && b[0]&0x80 != 0 && b[2] == messageClientHello:
		return "SSL 2.0 ClientHello"
	}
	for _, method := range []string{"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "CONN", "PATC"} {
		if bytes.HasPrefix(b, []byte(method)) {
			return "HTTP"
		}
	}
	return "other"
}
