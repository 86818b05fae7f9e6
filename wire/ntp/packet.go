// Package ntp is the packet of the Network Time Protocol (RFC 5905, section 7.3; RFC 4330 for simple clients) on the wire.
package ntp

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Size is that of a packet without extensions and authentication.
const Size = 48

// Mode is who speaks to whom.
type Mode uint8

// The modes of a client and its server.
const (
	Client    Mode = 3
	Server    Mode = 4
	Broadcast Mode = 5
)

// Leap is the leap indicator.
type Leap uint8

// The leap indicators.
const (
	NoWarning Leap = 0
	Leap61    Leap = 1 // the last minute of the day has 61 seconds
	Leap59    Leap = 2 // the last minute of the day has 59 seconds
	Alarm     Leap = 3 // the server's own clock is not synchronised
)

// Packet is a request or a reply. Its fields are those of the wire.
type Packet struct {
	Leap           Leap      `json:"leap"`
	Version        uint8     `json:"version"`
	Mode           Mode      `json:"mode"`
	Stratum        uint8     `json:"stratum"`
	Poll           int8      `json:"poll"`      // exponent of two, seconds
	Precision      int8      `json:"precision"` // exponent of two, seconds
	RootDelay      uint32    `json:"root_delay,omitempty"`
	RootDispersion uint32    `json:"root_dispersion,omitempty"`
	RefID          [4]byte   `json:"ref_id"` // the kiss code where stratum is 0
	Reference      Timestamp `json:"reference"`
	Originate      Timestamp `json:"originate"` // in a reply: the transmit timestamp of the request
	Receive        Timestamp `json:"receive"`
	Transmit       Timestamp `json:"transmit"`
}

// Kiss is the kiss code of a reply of stratum 0, such as "RATE"; empty when there is none.
func (p *Packet) Kiss() string {
	if p.Stratum != 0 || p.Mode == Client || p.RefID[0] == 0 {
		return ""
	}
	for _, c := range p.RefID {
		if c != 0 && (c < ' ' || c > '~') {
			return ""
		}
	}
	n := len(p.RefID)
	for n > 0 && p.RefID[n-1] == 0 {
		n--
	}
	return string(p.RefID[:n])
}

// Decode reads a packet. What stands behind its 48 bytes, extensions and authentication, is not looked at.
func Decode(b []byte) (Packet, error) {
	if len(b) < Size {
		return Packet{}, fmt.Errorf("decode NTP packet: %d bytes, not %d", len(b), Size)
	}
	p := Packet{
		Leap: Leap(b[0] >> 6), Version: b[0] >> 3 & 7, Mode: Mode(b[0] & 7),
		Stratum: b[1], Poll: int8(b[2]), Precision: int8(b[3]),
		RootDelay: binary.BigEndian.Uint32(b[4:]), RootDispersion: binary.BigEndian.Uint32(b[8:]), RefID: [4]byte(b[12:16]),
	}
	for i, t := range []*Timestamp{&p.Reference, &p.Originate, &p.Receive, &p.Transmit} {
		*t = Timestamp(binary.BigEndian.Uint64(b[16+8*i:]))
	}
	return p, nil
}

// Append adds the packet's 48 bytes to b.
func (p *Packet) Append(b []byte) []byte {
	b = append(b, byte(p.Leap)<<6|p.Version&7<<3|byte(p.Mode)&7, p.Stratum, byte(p.Poll), byte(p.Precision))
	b = binary.BigEndian.AppendUint32(b, p.RootDelay)
	b = binary.BigEndian.AppendUint32(b, p.RootDispersion)
	b = append(b, p.RefID[:]...)
	for _, t := range []Timestamp{p.Reference, p.Originate, p.Receive, p.Transmit} {
		b = binary.BigEndian.AppendUint64(b, uint64(t))
	}
	return b
}

// Timestamp is seconds since 1900 in 32.32 bits. It begins anew every 136 years, in 2036 for the first time; 0 is unknown.
type Timestamp uint64

// epoch is the beginning of era 0, in Unix time.
const epoch = -2208988800

// era is how long one is.
const era = 1 << 32

// At is t as a timestamp, whatever its era.
func At(t time.Time) Timestamp {
	seconds := uint64(t.Unix()-epoch) & (era - 1)
	fraction := (uint64(t.Nanosecond())<<32 + 5e8) / 1e9
	return Timestamp(seconds<<32 + fraction)
}

// Near is the time of a timestamp in the era that brings it nearest to pivot (RFC 5905, section 6).
func (t Timestamp) Near(pivot time.Time) time.Time {
	seconds := int64(t >> 32)
	base := pivot.Unix() - epoch
	seconds += (base - seconds + era/2) &^ (era - 1)
	nanos := int64((uint64(t)&(era-1))*1e9+era/2) >> 32
	return time.Unix(seconds+epoch, nanos).UTC()
}
