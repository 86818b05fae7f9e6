package dns

import (
	"encoding/binary"
	"fmt"

	"github.com/miekg/dns"
)

// Malformation is how an answer is no DNS message. Its header and, where it has one, its question fit the query.
type Malformation string

// The malformations.
const (
	PointerLoop    Malformation = "compression pointer to itself"
	PointerForward Malformation = "compression pointer past the end"
	LongData       Malformation = "record data longer than the message"
	ShortData      Malformation = "address of two bytes"
	LongLabel      Malformation = "label longer than the message"
	ManyRecords    Malformation = "65535 records announced, none there"
	HeaderOnly     Malformation = "header without the question it announces"
	HalfHeader     Malformation = "half a header"
	Empty          Malformation = "no bytes"
	EndlessName    Malformation = "name of more than 255 bytes"
)

// Malformations are all of them.
func Malformations() []Malformation {
	return []Malformation{PointerLoop, PointerForward, LongData, ShortData, LongLabel, ManyRecords, HeaderOnly, HalfHeader, Empty, EndlessName}
}

// Malformed answers with what is no DNS message, with one malformation after the other.
func Malformed(how ...Malformation) Behaviour {
	turn := make(chan int, 1)
	turn <- 0
	return Behaviour{text: fmt.Sprintf("malformed answers %v", how), run: func(x *exchange) {
		n := <-turn
		turn <- n + 1
		m := how[n%len(how)]
		b, err := x.malformed(m)
		if err != nil {
			return
		}
		x.out(x.s.o.UDP, b, Answer{Query: x.q, Code: "NOERROR", Lie: string(m)}, fmt.Sprintf("%s %s.: %s", x.q.Type, x.q.Name, m))
	}}
}

const headerSize = 12

// malformed is the bytes of a bad answer.
func (x *exchange) malformed(how Malformation) ([]byte, error) {
	m := new(dns.Msg)
	m.SetReply(x.query)
	m.RecursionAvailable = true
	b, err := m.Pack()
	if err != nil {
		return nil, err
	}
	answers := func(n uint16) { binary.BigEndian.PutUint16(b[6:], n) }
	record := func(name []byte, size uint16, data ...byte) []byte {
		answers(1)
		b = append(b, name...)
		b = append(b, 0, byte(dns.TypeA), 0, dns.ClassINET, 0, 0, 0, 60)
		return append(binary.BigEndian.AppendUint16(b, size), data...)
	}
	question := []byte{0xc0, headerSize}
	switch how {
	case PointerLoop:
		self := len(b)
		return record([]byte{0xc0 | byte(self>>8), byte(self)}, 4, 192, 0, 2, 99), nil
	case PointerForward:
		return record([]byte{0xff, 0xff}, 4, 192, 0, 2, 99), nil
	case LongData:
		return record(question, 0xffff, 192, 0, 2, 99), nil
	case ShortData:
		return record(question, 2, 192, 0), nil
	case LongLabel:
		answers(1)
		return append(b, 63, 'a', 'b'), nil
	case ManyRecords:
		answers(0xffff)
		return b, nil
	case HeaderOnly:
		return b[:headerSize], nil
	case HalfHeader:
		return b[:headerSize/2], nil
	case Empty:
		return nil, nil
	}
	var name []byte
	for range 8 {
		name = append(append(name, 63), make([]byte, 63)...)
	}
	return record(append(name, 0), 4, 192, 0, 2, 99), nil
}
