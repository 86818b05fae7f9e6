package ntp

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/wire/ntp"
)

// Behaviour is one way of telling the time.
type Behaviour struct {
	text   string
	late   time.Duration
	offset time.Duration
	edit   func(*ntp.Packet) (size int) // size 0: nothing is sent
}

var right = Behaviour{text: "right"}

// keep is an edit of a reply that is sent whole.
func keep(edit func(*ntp.Packet)) func(*ntp.Packet) int {
	return func(p *ntp.Packet) int {
		edit(p)
		return ntp.Size
	}
}

// Right tells the time of the clock.
func Right() Behaviour { return right }

// Offset tells a time that is wrong by d.
func Offset(d time.Duration) Behaviour {
	return Behaviour{text: fmt.Sprintf("wrong by %s", d), offset: d}
}

// WeekRollover tells a time that is 1024 weeks behind, as GPS receivers do after their week counter began anew.
func WeekRollover() Behaviour {
	b := Offset(-1024 * 7 * 24 * time.Hour)
	b.text = "1024 weeks behind"
	return b
}

// Late replies after d. What it says is as true as ever, but for the time on the way.
func Late(d time.Duration) Behaviour { return Behaviour{text: "late by " + d.String(), late: d} }

// Silent replies never.
func Silent() Behaviour {
	return Behaviour{text: "silent", edit: func(*ntp.Packet) int { return 0 }}
}

// Kiss replies with a kiss of death: "RATE" for a client that is to ask less often, "DENY" or "RSTR" for one that is to go away
// (RFC 5905, section 7.4).
func Kiss(code string) Behaviour {
	return Behaviour{text: "kiss of death " + code, edit: keep(func(p *ntp.Packet) {
		p.Leap, p.Stratum, p.RefID = ntp.Alarm, 0, [4]byte{}
		copy(p.RefID[:], code)
	})}
}

// Leap replies with a leap indicator.
func Leap(l ntp.Leap) Behaviour {
	return Behaviour{text: fmt.Sprintf("leap indicator %d", l), edit: keep(func(p *ntp.Packet) { p.Leap = l })}
}

// Fault is what makes a reply one that a client must not believe (RFC 4330, section 5).
type Fault string

// The faults.
const (
	WrongOriginate Fault = "originate timestamp of another request"
	ClientMode     Fault = "mode 3"
	StratumZero    Fault = "stratum 0 without a kiss code"
	NoTransmit     Fault = "transmit timestamp 0"
	Short          Fault = "40 bytes"
	Unsynchronised Fault = "leap indicator 3, stratum 16"
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{WrongOriginate, ClientMode, StratumZero, NoTransmit, Short, Unsynchronised}
}

// Faulty tells a time that is wrong by d, with a fault that shows it.
func Faulty(f Fault, d time.Duration) Behaviour {
	return Behaviour{text: string(f), offset: d, edit: func(p *ntp.Packet) int {
		switch f {
		case WrongOriginate:
			p.Originate ^= 0x5aa5_0000_ffff_0001
		case ClientMode:
			p.Mode = ntp.Client
		case StratumZero:
			p.Stratum, p.RefID = 0, [4]byte{}
		case NoTransmit:
			p.Transmit = 0
		case Short:
			return 40
		case Unsynchronised:
			p.Leap, p.Stratum = ntp.Alarm, 16
		}
		return ntp.Size
	}}
}
