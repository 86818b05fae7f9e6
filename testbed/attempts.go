package testbed

import (
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

// Attempt is one connection of the part under test, from the first sign of it to its end, as the stand-ins saw it.
type Attempt struct {
	Conn        int // 0: refused by a closed port
	First, Last int // numbers of its first and last event
	Opened      time.Time
	Hello       *endpoint.Hello // nil: none came
	Secure      *endpoint.State // nil: the TLS handshake was not completed
	Alert       string          // how a handshake failed, as the endpoint tells it
	Bytes       int             // application bytes seen at the first read; 0: none came
	BytesText   string          // what they looked like
	Connect     *mqtt.Packet    // nil: none came
	Connack     *mqtt.Packet    // the answer that was sent
	Accepted    time.Time       // when it was sent, if it accepted the connection
	Packets     int             // that came from the part
	Closed      time.Time       // zero: still open
	ClosedBy    string          // as in the Close event
}

// Attempts gathers the connections in events, in the order of their first event.
func Attempts(events []evidence.Event) []Attempt {
	var all []Attempt
	place := map[int]int{}
	for _, e := range events {
		if e.Kind == evidence.Refused {
			all = append(all, Attempt{First: e.N, Last: e.N, Opened: e.At, Closed: e.At, ClosedBy: "refused"})
			continue
		}
		if e.Conn == 0 {
			continue
		}
		i, ok := place[e.Conn]
		if !ok {
			if e.Kind != evidence.Open {
				continue // opened before the mark
			}
			i = len(all)
			place[e.Conn] = i
			all = append(all, Attempt{Conn: e.Conn, First: e.N, Opened: e.At})
		}
		all[i].add(e)
	}
	return all
}

func (a *Attempt) add(e evidence.Event) {
	a.Last = e.N
	switch e.Kind {
	case evidence.Hello:
		if h, ok := e.Data.(endpoint.Hello); ok {
			a.Hello = &h
		}
	case evidence.Secure:
		if s, ok := e.Data.(endpoint.State); ok {
			a.Secure = &s
		}
	case evidence.Alert:
		a.Alert = e.Text
	case evidence.Bytes:
		a.Bytes, a.BytesText = e.Size, e.Text
	case evidence.Close:
		a.Closed, a.ClosedBy = e.At, e.Text
	case evidence.In:
		a.Packets++
		if p, ok := e.Data.(*mqtt.Packet); ok && p.Type == mqtt.CONNECT && a.Connect == nil {
			a.Connect = p
		}
	case evidence.Out:
		if p, ok := e.Data.(*mqtt.Packet); ok && p.Type == mqtt.CONNACK && a.Connack == nil {
			a.Connack = p
			if p.Code == 0 {
				a.Accepted = e.At
			}
		}
	}
}

// Gaps are the pauses between the end of each attempt and the start of the next. An attempt that has not ended when the next starts
// gives 0.
func Gaps(attempts []Attempt) []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(attempts); i++ {
		before := attempts[i-1]
		if before.Closed.IsZero() || before.Closed.After(attempts[i].Opened) {
			gaps = append(gaps, 0)
			continue
		}
		gaps = append(gaps, attempts[i].Opened.Sub(before.Closed))
	}
	return gaps
}
