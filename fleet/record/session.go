package record

import (
	"crypto/cipher"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	headerSize = 5
	tagSize    = 16
	maxPlain   = 1 << 14
	maxBody    = maxPlain + 256

	// MaxRecord is the size of the longest record that is not refused, and so of the buffer that [Session.Open] needs.
	MaxRecord = headerSize + maxBody
	// Overhead is what [Session.Seal] adds to every 16 KiB of plaintext.
	Overhead = headerSize + 1 + tagSize

	// renewAfter is how many records are sealed with the same key: less than the 2^24.5 of full size that RFC 8446, section 5.5, allows for
	// AES-GCM.
	renewAfter = 1 << 24
	// maxUseless is how many records that bring nothing may follow upon each other, as in crypto/tls.
	maxUseless = 16
)

// Types of records.
const (
	typeChangeCipherSpec = 20
	typeAlert            = 21
	typeHandshake        = 22
	typeApplicationData  = 23
)

// Session is what is left of a connection after its handshake. It is made by [Handshake]. It is not safe for concurrent use.
type Session struct {
	in, out half
	ciphers *Ciphers
	tail    *tail // nil once no ticket is waited for
	err     error // how the receiving direction ended

	suite   uint16
	useless uint8   // records that brought nothing, since the last that did
	owes    bool    // the server asked for new keys, and has not got them
	closed  bool    // nothing more is sealed
	began   uint8   // how much of message is there
	message [5]byte // the start of a handshake message, which is all of a KeyUpdate
	skip    uint32  // what is still to come of a ticket
}

// NewSession is the client's side with the given first traffic secrets (client_application_traffic_secret_0 and that of the server).
// [Handshake] makes one; this is for those who have the secrets from elsewhere.
func NewSession(suite uint16, client, server []byte) (*Session, error) {
	hash, _ := sizes(suite)
	if hash == 0 {
		return nil, fmt.Errorf("record: %s is not a suite of TLS 1.3", tls.CipherSuiteName(suite))
	}
	if len(client) != hash || len(server) != hash {
		return nil, fmt.Errorf("record: traffic secrets have %d and %d bytes, and %s has %d", len(client), len(server), tls.CipherSuiteName(suite), hash)
	}
	s := &Session{suite: suite}
	s.out.set(suite, client)
	s.in.set(suite, server)
	return s, nil
}

// Suite is the cipher suite, by its number.
func (s *Session) Suite() uint16 { return s.suite }

// Keep has the session leave its ciphers among c from use to use, instead of making one for each record. It is called before anything is
// sealed or opened, by the loop that c is of.
func (s *Session) Keep(c *Ciphers) { s.ciphers = c }

// cipher gives the cipher of a direction.
func (s *Session) cipher(h *half) cipher.AEAD {
	if h.aead != nil {
		return h.aead
	}
	aead := h.cipher(s.suite)
	if s.ciphers != nil && len(s.ciphers.ready) > 0 {
		h.aead = aead
		s.ciphers.add(h)
	}
	return aead
}

// Seal appends the records that carry plaintext to dst, which grows by len(plaintext) and [Overhead] for each 16 KiB. New keys are
// announced in front of it when they are due; that is [Overhead] and 5 bytes more. Plaintext must not overlap what dst grows into. Empty
// plaintext gives no record. After Close, nothing is appended.
func (s *Session) Seal(dst, plaintext []byte) []byte {
	if s.closed {
		return dst
	}
	if s.owes && len(plaintext) > 0 {
		dst = s.Renew(dst, false)
	}
	for len(plaintext) > 0 {
		if s.out.seq >= renewAfter {
			dst = s.Renew(dst, false)
		}
		n := min(len(plaintext), maxPlain)
		dst = s.seal(dst, typeApplicationData, plaintext[:n])
		plaintext = plaintext[n:]
	}
	return dst
}

// seal appends one record.
func (s *Session) seal(dst []byte, kind byte, content []byte) []byte {
	dst = slices.Grow(dst, len(content)+Overhead)
	start := len(dst)
	dst = append(dst, typeApplicationData, 3, 3)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(content)+1+tagSize))
	body := len(dst)
	dst = append(dst, content...)
	dst = append(dst, kind)
	aead := s.cipher(&s.out)
	s.out.turn()
	dst = aead.Seal(dst[:body], s.out.iv[:], dst[body:], dst[start:body])
	s.out.turn()
	s.out.seq++
	return dst
}

// Renew appends a KeyUpdate to dst, and what is sealed from then on has new keys. With ask, the server is asked for new keys of its own.
// Nobody needs to call it for a connection to be in order: see Seal.
func (s *Session) Renew(dst []byte, ask bool) []byte {
	if s.closed {
		return dst
	}
	update := []byte{messageKeyUpdate, 0, 0, 1, 0}
	if ask {
		update[4] = 1
	}
	dst = s.seal(dst, typeHandshake, update)
	s.out.update(s.suite)
	s.owes = false
	return dst
}

// Close ends the sending direction: it appends the alert that tells the server why. That is close_notify for nil and for io.EOF, the alert
// of an [Error] that Open gave, nothing for an alert of the server's own, and internal_error for anything else. The session then holds on
// to nothing, and what still comes can be opened.
func (s *Session) Close(dst []byte, why error) []byte {
	if s.closed {
		return dst
	}
	if e, ok := errors.AsType[*Error](why); !ok || !e.Theirs {
		level, a := alertFor(why)
		dst = s.seal(dst, typeAlert, []byte{level, byte(a)})
	}
	s.closed, s.tail, s.ciphers, s.out.aead, s.in.aead = true, nil, nil, nil, nil
	return dst
}
