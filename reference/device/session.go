package device

import "slices"

// session is the client's side of the MQTT session (section 4.1). It outlives connections and restarts.
type session struct {
	InFlight   []message `json:"in_flight"`  // sent and not acknowledged, in the order of sending
	Received   []uint16  `json:"received"`   // QoS 2 ids between PUBREC and PUBREL
	LastID     uint16    `json:"last_id"`    // packet id used last
	Subscribed bool      `json:"subscribed"` // the server granted the subscriptions of this session
}

// nextID is a packet id that is not in flight and not 0 [MQTT-2.2.1-3, MQTT-2.2.1-4 v5].
func (s *session) nextID() uint16 {
	for {
		s.LastID++
		if s.LastID != 0 && !slices.ContainsFunc(s.InFlight, func(m message) bool { return m.ID == s.LastID }) {
			return s.LastID
		}
	}
}

// reconnected prepares what is in flight for sending again on a new connection [MQTT-4.4.0-1].
func (s *session) reconnected() {
	for i := range s.InFlight {
		s.InFlight[i].Again, s.InFlight[i].sent = true, false
	}
}

// lost forgets the session that the server no longer has, and gives back what was not acknowledged.
func (s *session) lost() (unsent []message) {
	unsent = s.InFlight
	for i := range unsent {
		unsent[i].Again, unsent[i].sent, unsent[i].ID = false, false, 0
	}
	s.InFlight, s.Received, s.Subscribed = nil, nil, false
	return unsent
}

// take removes the message with a packet id from those in flight.
func (s *session) take(id uint16) (message, bool) {
	i := slices.IndexFunc(s.InFlight, func(m message) bool { return m.ID == id && m.sent })
	if i < 0 {
		return message{}, false
	}
	m := s.InFlight[i]
	s.InFlight = slices.Delete(s.InFlight, i, i+1)
	return m, true
}

// unacknowledged counts the messages that were sent on this connection and are not acknowledged, and those among them and those still to be
// sent again that are readings.
func (s *session) unacknowledged() (sent, readings int) {
	for _, m := range s.InFlight {
		if m.sent {
			sent++
		}
		if m.Kind == telemetry {
			readings++
		}
	}
	return sent, readings
}

// holds reports whether a message of a kind is in flight.
func (s *session) holds(k kind) bool {
	return slices.ContainsFunc(s.InFlight, func(m message) bool { return m.Kind == k })
}

// received notes a QoS 2 id and reports whether it is new.
func (s *session) received(id uint16) bool {
	if slices.Contains(s.Received, id) {
		return false
	}
	s.Received = append(s.Received, id)
	return true
}

// released forgets a QoS 2 id and reports whether it was known.
func (s *session) released(id uint16) bool {
	i := slices.Index(s.Received, id)
	if i < 0 {
		return false
	}
	s.Received = slices.Delete(s.Received, i, i+1)
	return true
}
