package ws

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Opcode says what a frame is (RFC 6455 section 5.2).
type Opcode byte

// The opcodes.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return fmt.Sprintf("opcode %d", byte(o))
}

// control reports whether frames of this opcode are about the connection.
func (o Opcode) control() bool { return o >= 8 }

// Codes of a close (RFC 6455 section 7.4.1).
const (
	Normal        = 1000
	GoingAway     = 1001
	ProtocolError = 1002
	Unsupported   = 1003
	NoCode        = 1005 // the close frame had none
	Policy        = 1008
	TooBig        = 1009
	Restart       = 1012
	TryLater      = 1013
)

// Frame is one frame with its payload unmasked.
type Frame struct {
	Fin     bool
	Op      Opcode
	Masked  bool
	Key     [4]byte
	Payload []byte
}

// Error is a violation of the protocol, with the code that closes the connection for it.
type Error struct {
	Reason string
	Code   uint16
}

func (e *Error) Error() string { return e.Reason }

func wrong(format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...), Code: ProtocolError}
}

// Append adds the frame to b. The length takes as few bytes as it can.
func (f *Frame) Append(b []byte) []byte {
	first, second := byte(f.Op), byte(0)
	if f.Fin {
		first |= 0x80
	}
	if f.Masked {
		second = 0x80
	}
	switch n := len(f.Payload); {
	case n < 126:
		b = append(b, first, second|byte(n))
	case n <= 0xffff:
		b = append(b, first, second|126, byte(n>>8), byte(n))
	default:
		b = append(b, first, second|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	if !f.Masked {
		return append(b, f.Payload...)
	}
	b = append(b, f.Key[:]...)
	from := len(b)
	b = append(b, f.Payload...)
	mask(b[from:], f.Key)
	return b
}

func mask(b []byte, key [4]byte) {
	for i := range b {
		b[i] ^= key[i%4]
	}
}

// ReadFrame reads a frame of at most limit bytes of payload. The error is an *Error for what the protocol forbids, io.EOF at the end of
// the connection before a frame, and else that of the connection.
func ReadFrame(r *bufio.Reader, limit int) (Frame, error) {
	var f Frame
	first, err := r.ReadByte()
	if err != nil {
		return f, err
	}
	second, err := r.ReadByte()
	if err != nil {
		return f, within(err)
	}
	f.Fin, f.Op, f.Masked = first&0x80 != 0, Opcode(first&0x0f), second&0x80 != 0
	if first&0x70 != 0 {
		return f, wrong("reserved bits %03b, and no extension was agreed (RFC 6455 section 5.2)", first>>4&7)
	}
	if f.Op > Binary && f.Op < Close || f.Op > Pong {
		return f, wrong("opcode %d does not exist", f.Op)
	}
	size, err := length(r, second&0x7f)
	switch {
	case err != nil:
		return f, err
	case f.Op.control() && (size > 125 || !f.Fin):
		return f, wrong("a control frame in pieces or of %d bytes (RFC 6455 section 5.5)", size)
	case size > uint64(max(limit, 0)):
		return f, &Error{Reason: fmt.Sprintf("a frame of %d bytes, the most is %d", size, limit), Code: TooBig}
	}
	if f.Masked {
		if _, err := io.ReadFull(r, f.Key[:]); err != nil {
			return f, within(err)
		}
	}
	for left := int(size); left > 0; { // the memory grows with what has come, not with what was announced
		part := make([]byte, min(left, 16<<10))
		if _, err := io.ReadFull(r, part); err != nil {
			return f, within(err)
		}
		f.Payload = append(f.Payload, part...)
		left -= len(part)
	}
	if f.Masked {
		mask(f.Payload, f.Key)
	}
	return f, nil
}

// length reads an extended payload length.
func length(r *bufio.Reader, short byte) (uint64, error) {
	n := map[byte]int{126: 2, 127: 8}[short]
	if n == 0 {
		return uint64(short), nil
	}
	var b [8]byte
	if _, err := io.ReadFull(r, b[8-n:]); err != nil {
		return 0, within(err)
	}
	size := binary.BigEndian.Uint64(b[:])
	switch {
	case size>>63 != 0:
		return 0, wrong("a length with its highest bit set (RFC 6455 section 5.2)")
	case n == 2 && size < 126, n == 8 && size <= 0xffff:
		return 0, wrong("a length of %d in %d bytes is not the shortest (RFC 6455 section 5.2)", size, n)
	}
	return size, nil
}

// within is the error of a connection that ends within a frame.
func within(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
