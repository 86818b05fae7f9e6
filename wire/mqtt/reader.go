package mqtt

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// readStep is how many bytes of a packet are allocated before they arrive.
const readStep = 4096

// Reader cuts a byte stream into whole raw packets.
type Reader struct {
	br  *bufio.Reader
	max int
}

// NewReader reads packets from r whose remaining length is at most max bytes. It reads ahead of the packet it returns.
func NewReader(r io.Reader, max int) *Reader {
	return &Reader{br: bufio.NewReaderSize(r, readStep), max: max}
}

// Next returns the next raw packet in a slice of its own. At a packet boundary the end of the stream is io.EOF, inside a packet
// io.ErrUnexpectedEOF. A remaining length above the limit (Code 0x95) or of more than four bytes (Code 0x81) is an *Error before
// the body is read. Memory grows with the bytes that arrive, not with the length announced. With an error, raw holds what had
// arrived of the packet, and the Reader is of no further use.
func (r *Reader) Next() (raw []byte, err error) {
	first, err := r.br.ReadByte()
	if err != nil {
		return nil, err
	}
	raw = append(raw, first)
	length := 0
	for shift := 0; ; shift += 7 {
		b, err := r.br.ReadByte()
		if err != nil {
			return raw, inside(err)
		}
		raw = append(raw, b)
		length |= int(b&0x7f) << shift
		if b < 0x80 {
			break
		}
		if shift == 21 {
			return raw, longLength(len(raw) - 1)
		}
	}
	if length > r.max {
		return raw, &Error{
			Offset: 1,
			Reason: fmt.Sprintf("remaining length %d is above the limit of %d", length, r.max),
			Code:   codePacketTooLarge,
		}
	}
	return r.body(raw, length)
}

// body reads length bytes behind the fixed header.
func (r *Reader) body(header []byte, length int) ([]byte, error) {
	if length <= readStep {
		raw := make([]byte, len(header)+length)
		copy(raw, header)
		n, err := io.ReadFull(r.br, raw[len(header):])
		return raw[:len(header)+n], inside(err)
	}
	var buf bytes.Buffer
	buf.Write(header)
	_, err := io.CopyN(&buf, r.br, int64(length))
	return buf.Bytes(), inside(err)
}

// inside turns the clean end of the stream into one within a packet.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// longLength is a remaining length whose fourth byte, at offset, announces a fifth.
func longLength(offset int) *Error {
	return &Error{
		Offset:    offset,
		Reason:    "remaining length takes more than four bytes",
		Statement: "section 2.2.3 (3.1.1), 1.5.5 (5.0)",
		Code:      codeMalformed,
	}
}
