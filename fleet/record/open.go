package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Types of handshake messages.
const (
	messageTicket    = 4
	messageKeyUpdate = 24
)

// Bounds of a NewSessionTicket: every field at its shortest, and what crypto/tls takes at most.
const (
	minTicket = 4 + 4 + 1 + 2 + 1 + 2
	maxTicket = 1 << 16
)

// Open decrypts the whole records at the start of buf, in place, and gives the application data of all of them as one piece, which is in
// buf; consumed is how much of buf the records took. The caller keeps the rest, and comes again when it has more: at most [MaxRecord] bytes
// are needed for one record. A record that is refused is refused as soon as its header shows it.
//
// The error is io.EOF after a close_notify and an [*Error] after any other alert and for what RFC 8446 does not allow; plain is then what
// came before it. It ends the receiving direction: Open gives the same error from then on, consuming nothing.
func (s *Session) Open(buf []byte) (plain []byte, consumed int, err error) {
	start, end := 0, 0
	for s.err == nil && len(buf)-consumed >= headerSize {
		rest := buf[consumed:]
		n := int(binary.BigEndian.Uint16(rest[3:]))
		if s.err = checkHeader(rest, n); s.err != nil {
			break
		}
		if len(rest) < headerSize+n {
			break
		}
		at := consumed + headerSize
		content := s.open(rest[:headerSize+n])
		consumed += headerSize + n
		switch {
		case len(content) == 0:
		case start == end:
			start, end = at, at+len(content)
		default:
			end += copy(buf[end:], content)
		}
	}
	if s.err != nil {
		s.tail, s.in.aead = nil, nil
	}
	return buf[start:end:end], consumed, s.err
}

// checkHeader refuses what no record of a server may begin with after its handshake. The version is not looked at, as section 5.2 wants it.
func checkHeader(header []byte, n int) error {
	switch header[0] {
	case typeApplicationData:
	case typeAlert:
		why := "an alert came unencrypted"
		if len(header) >= headerSize+2 {
			why += ": " + Alert(header[headerSize+1]).String()
		}
		return &Error{Alert: UnexpectedMessage, Why: why}
	default:
		return &Error{Alert: UnexpectedMessage, Why: fmt.Sprintf("a record of type %d after the handshake", header[0])}
	}
	if n > maxBody {
		return &Error{Alert: RecordOverflow, Why: fmt.Sprintf("a record says it has %d bytes, and %d are allowed", n, maxBody)}
	}
	return nil
}

// open decrypts one record and acts on it. It gives application data, and sets s.err.
func (s *Session) open(record []byte) []byte {
	header, body := record[:headerSize], record[headerSize:]
	if len(body) < tagSize+1 {
		return s.fail(BadRecordMAC, fmt.Sprintf("a record of %d bytes is too short to be an encrypted one", len(body)))
	}
	var sealed []byte
	if s.tail != nil {
		sealed = bytes.Clone(record)
	}
	aead := s.cipher(&s.in)
	s.in.turn()
	inner, err := aead.Open(body[:0], s.in.iv[:], body, header)
	s.in.turn()
	if err != nil {
		return s.fail(BadRecordMAC, "a record does not decrypt: it was changed, repeated, left out or sent with other keys")
	}
	s.in.seq++
	if len(inner) > maxPlain+1 {
		return s.fail(RecordOverflow, fmt.Sprintf("a record has %d bytes of content and padding, and %d are allowed", len(inner)-1, maxPlain))
	}
	end := len(inner)
	for end > 0 && inner[end-1] == 0 {
		end--
	}
	if end == 0 {
		return s.fail(UnexpectedMessage, "a record is all padding")
	}
	kind, content := inner[end-1], inner[:end-1]
	if s.useless++; kind == typeApplicationData && len(content) > 0 {
		s.useless = 0
	}
	switch {
	case s.useless > maxUseless:
		return s.fail(UnexpectedMessage, fmt.Sprintf("more than %d records in a row bring no application data", maxUseless))
	case kind != typeHandshake && (s.began > 0 || s.skip > 0):
		return s.fail(UnexpectedMessage, fmt.Sprintf("a record of type %d within a handshake message", kind))
	}
	switch kind {
	case typeApplicationData:
		s.tail = nil
		return content
	case typeHandshake:
		s.tail = s.tail.read(sealed)
		return s.handshake(content)
	case typeAlert:
		return s.alert(content)
	}
	return s.fail(UnexpectedMessage, fmt.Sprintf("an encrypted record of type %d", kind))
}

func (s *Session) fail(a Alert, why string) []byte {
	s.err = &Error{Alert: a, Why: why}
	return nil
}

func (s *Session) alert(content []byte) []byte {
	if len(content) != 2 {
		return s.fail(DecodeError, fmt.Sprintf("an alert of %d bytes", len(content)))
	}
	switch a := Alert(content[1]); a {
	case CloseNotify:
		s.err = io.EOF
	case UserCanceled: // a close_notify follows
	default:
		s.err = &Error{Alert: a, Theirs: true}
	}
	return nil
}

// handshake goes through handshake messages, which may begin and end anywhere in records. Nothing of a ticket is looked at but its length.
func (s *Session) handshake(content []byte) []byte {
	if len(content) == 0 {
		return s.fail(UnexpectedMessage, "a handshake record without content")
	}
	for len(content) > 0 && s.err == nil {
		if s.skip > 0 {
			n := min(len(content), int(s.skip))
			s.skip -= uint32(n)
			content = content[n:]
			continue
		}
		s.message[s.began] = content[0]
		s.began++
		content = content[1:]
		switch s.began {
		case 1:
			if s.message[0] != messageTicket && s.message[0] != messageKeyUpdate {
				s.fail(UnexpectedMessage, fmt.Sprintf("a handshake message of type %d after the handshake", s.message[0]))
			}
		case 4:
			s.begin(uint32(s.message[1])<<16 | uint32(binary.BigEndian.Uint16(s.message[2:])))
		case 5:
			s.began = 0
			s.keyUpdate(s.message[4], len(content))
		}
	}
	return nil
}

// begin looks at the length of a message.
func (s *Session) begin(n uint32) {
	switch {
	case s.message[0] == messageTicket:
		if n < minTicket || n > maxTicket {
			s.fail(DecodeError, fmt.Sprintf("a session ticket of %d bytes", n))
		}
		s.began, s.skip = 0, n
	case n != 1:
		s.fail(DecodeError, fmt.Sprintf("a key update of %d bytes", n))
	}
}

// keyUpdate goes on to new keys; behind is what comes after the message in its record.
func (s *Session) keyUpdate(asks byte, behind int) {
	switch {
	case asks > 1:
		s.fail(IllegalParameter, fmt.Sprintf("a key update asks for %d, which is neither 0 nor 1", asks))
	case behind > 0:
		s.fail(UnexpectedMessage, "a key update is not the last message of its record")
	default:
		s.owes = s.owes || asks == 1
		s.in.update(s.suite)
		s.tail = nil
	}
}
