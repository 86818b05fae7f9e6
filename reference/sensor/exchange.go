package sensor

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// kind is what a request is for.
type kind byte

const (
	telemetry kind = iota
	config
	register
	rest // of a notification
)

// request is a confirmable request under way.
type request struct {
	m     *coap.Message
	kind  kind
	seq   int // of the reading
	sent  int // times
	wait  time.Duration
	due   time.Duration // when it is sent again, or given up
	acked bool          // the response comes separately
}

// limit is how many requests may be under way.
func (s *Sensor) limit() int {
	if s.has("coap-nstart") {
		return 4
	}
	return nstart
}

// begin sends what is due, one request at a time.
func (s *Sensor) begin() {
	if s.up < s.holdTill {
		return
	}
	for len(s.flight) < s.limit() {
		switch {
		case s.fetch == nil && s.fetchAt <= s.up:
			s.fetch = &fetch{path: configPath}
			s.fetchAt = s.up + fetchRetry
			s.block(config, s.fetch)
		case s.obs.registerAt <= s.up:
			s.register()
		default:
			r, ok := s.waiting()
			if !ok {
				return
			}
			s.report(r)
		}
	}
}

// waiting is the first reading that is not under way.
func (s *Sensor) waiting() (reading, bool) {
	for _, r := range s.backlog {
		if !slices.ContainsFunc(s.flight, func(f *request) bool { return f.kind == telemetry && f.seq == r.seq }) {
			return r, true
		}
	}
	return reading{}, false
}

// report posts a reading.
func (s *Sensor) report(r reading) {
	body, err := json.Marshal(map[string]any{
		"seq": r.seq, "celsius": float64(int(r.celsius*10)) / 10, "alarm_tenths": s.set.Alarm, "config": s.set.Config, "identified": s.actions,
	})
	if err != nil {
		s.say("reading not encoded: %v", err)
		return
	}
	m := (&coap.Message{Code: coap.POST, Payload: body}).SetPath(telemetryPath).AddUint(coap.ContentFormat, coap.JSON)
	s.ask(&request{m: m, kind: telemetry, seq: r.seq})
}

// ask sends a request for the first time (RFC 7252 section 4.2).
func (s *Sensor) ask(r *request) {
	r.m.Type, r.m.ID = coap.CON, s.nextID()
	if r.m.Token == nil {
		r.m.Token = s.token()
	}
	r.wait = ackTimeout + time.Duration(s.rng.Int64N(int64(ackTimeout/2)))
	if s.has("coap-no-jitter") {
		r.wait = ackTimeout
	}
	s.flight = append(s.flight, r)
	s.send(r)
}

func (s *Sensor) token() []byte {
	n := s.rng.Uint32()
	return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// send sends a request and sets the time of what follows, each twice as long as the one before.
func (s *Sensor) send(r *request) {
	s.put(r.m)
	r.due = s.up + r.wait<<r.sent
	if s.has("coap-retransmit-constant") {
		r.due = s.up + r.wait
	}
	r.sent++
}

// retransmit sends again what was not acknowledged in time, and gives up what was sent often enough.
func (s *Sensor) retransmit() {
	for _, r := range slices.Clone(s.flight) {
		if s.up < r.due {
			continue
		}
		again := !r.acked && r.sent <= maxRetransmit && !s.has("coap-no-retransmit")
		if again && r.kind == config && s.has("coap-block-restart-always") {
			s.drop(r)
			s.fetchAt = s.up
			continue
		}
		if again {
			s.send(r)
			continue
		}
		if s.has("coap-retransmit-forever") && !r.acked {
			s.put(r.m)
			r.due = s.up + 16*time.Second
			continue
		}
		if s.has("dtls-session-forever") {
			s.drop(r)
			continue
		}
		s.lost("no answer from the server")
		return
	}
}

// drop forgets a request.
func (s *Sensor) drop(r *request) {
	s.flight = slices.DeleteFunc(s.flight, func(o *request) bool { return o == r })
	switch r.kind {
	case config:
		s.fetch = nil
	case rest:
		s.more = nil
	case register:
		s.obs.registerAt = max(s.obs.registerAt, s.up+fetchRetry)
	}
}

// receive deals with a datagram from the server.
func (s *Sensor) receive(raw []byte) {
	m, err := coap.Decode(raw)
	if err != nil {
		s.malformed(raw)
		return
	}
	switch {
	case m.Code == coap.Empty && m.Type == coap.CON:
		if !s.has("coap-ping-silent") {
			s.put(&coap.Message{Type: coap.RST, ID: m.ID})
		}
	case m.Type == coap.ACK:
		s.acknowledged(m)
	case m.Type == coap.RST:
		s.reset(m)
	case m.Code.Request():
		s.serve(m, s.put)
	case m.Code.Response():
		s.response(m)
	}
}

// malformed rejects what is no message, where there is one to reject (RFC 7252 section 4.2).
func (s *Sensor) malformed(raw []byte) {
	lenient, faults := coap.DecodeLenient(raw)
	if lenient == nil || lenient.Version != 1 || lenient.Type != coap.CON {
		return
	}
	switch {
	case s.has("coap-malformed-crash") && len(lenient.Token) > 8:
		s.crash("stack smashed by a token")
		return
	case s.has("coap-malformed-deaf") && faults[0].Offset >= 4:
		s.deaf = true
		return
	case s.has("coap-malformed-silent"):
		return
	}
	s.put(&coap.Message{Type: coap.RST, ID: lenient.ID})
}

// strange reports whether a response has a critical option that the sensor does not know (RFC 7252 section 5.4.1).
func (s *Sensor) strange(m *coap.Message) bool {
	return !s.has("coap-critical-ignored") && slices.ContainsFunc(m.Options, func(o coap.Option) bool { return o.ID.Critical() && !o.ID.Known() })
}

// acknowledged deals with an acknowledgement, empty or with a response on it.
func (s *Sensor) acknowledged(m *coap.Message) {
	i := slices.IndexFunc(s.flight, func(r *request) bool { return r.m.ID == m.ID })
	if i < 0 {
		return
	}
	r := s.flight[i]
	if m.Code == coap.Empty {
		if !s.has("coap-separate-ignored") {
			r.acked, r.due = true, s.up+separateWait
		}
		return
	}
	if s.strange(m) || !bytes.Equal(m.Token, r.m.Token) && !s.has("coap-token-ignored") {
		return
	}
	s.answered(r, m)
}

// reset deals with a reset of a request or of a notification.
func (s *Sensor) reset(m *coap.Message) {
	if !s.has("coap-rst-observer-kept") {
		s.watchers = slices.DeleteFunc(s.watchers, func(w watcher) bool { return slices.Contains(w.sent, m.ID) })
	}
	for _, r := range slices.Clone(s.flight) {
		if r.m.ID == m.ID && !s.has("coap-rst-ignored") {
			s.say("the server rejected a request")
			s.holdTill = s.up + sampleEvery
			s.drop(r)
		}
	}
}

// response deals with a response in a message of its own: to a request that was acknowledged, or a notification.
func (s *Sensor) response(m *coap.Message) {
	ack := func() {
		if m.Type == coap.CON {
			s.put(&coap.Message{Type: coap.ACK, ID: m.ID})
		}
	}
	if s.repeated(m) { // its acknowledgement was lost (section 4.5)
		ack()
		return
	}
	for _, r := range s.flight {
		if bytes.Equal(r.m.Token, m.Token) && !(r.kind == register && s.obs.registered) {
			if s.strange(m) {
				break
			}
			ack()
			if !s.has("coap-separate-ignored") {
				s.answered(r, m)
			}
			return
		}
	}
	if s.obs.token != nil && bytes.Equal(m.Token, s.obs.token) && !s.strange(m) {
		ack()
		s.notified(m)
		return
	}
	s.seen = s.seen[:max(0, len(s.seen)-1)] // it was not taken
	if m.Type == coap.CON {
		s.put(&coap.Message{Type: coap.RST, ID: m.ID})
	}
}

// repeated reports whether a message of the server came before; it remembers it.
func (s *Sensor) repeated(m *coap.Message) bool {
	s.seen = slices.DeleteFunc(s.seen, func(o came) bool { return s.up-o.at > exchangeLifetime })
	if slices.ContainsFunc(s.seen, func(o came) bool { return o.id == m.ID }) {
		return true
	}
	if s.seen = append(s.seen, came{m.ID, s.up}); len(s.seen) > cacheMax {
		s.seen = s.seen[1:]
	}
	return false
}

// came is a message of the server by its id.
type came struct {
	id uint16
	at time.Duration
}

// answered goes on after the response to a request.
func (s *Sensor) answered(r *request, m *coap.Message) {
	if r.kind == telemetry || r.kind == register {
		s.failures = 0
	}
	if m.Code == coap.ServiceUnavailable && !s.has("coap-overload-ignored") {
		s.drop(r)
		s.holdTill = s.up + maxAge(m)
		s.say("the server is busy; waiting %.0f s", maxAge(m).Seconds())
		return
	}
	switch r.kind {
	case telemetry:
		s.drop(r)
		if m.Code.Class() == 5 {
			s.holdTill = s.up + sampleEvery
			if s.has("coap-overload-ignored") {
				s.holdTill = s.up + time.Second
			}
			return
		}
		if m.Code.Class() == 4 {
			s.say("reading %d refused: %s", r.seq, m.Code)
		}
		s.backlog = slices.DeleteFunc(s.backlog, func(o reading) bool { return o.seq == r.seq })
	case config:
		s.flight = slices.DeleteFunc(s.flight, func(o *request) bool { return o == r })
		s.configBlock(m)
	case rest:
		s.flight = slices.DeleteFunc(s.flight, func(o *request) bool { return o == r })
		s.restBlock(m)
	case register:
		s.drop(r)
		s.registered(m)
	}
}

// maxAge is how long a response holds.
func maxAge(m *coap.Message) time.Duration {
	if n, ok := m.Uint(coap.MaxAge); ok {
		return time.Duration(min(n, 24*3600)) * time.Second
	}
	return defaultMaxAge
}
