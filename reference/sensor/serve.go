package sensor

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// answered is the answer to a request that may be repeated.
type answered struct {
	id uint16
	m  *coap.Message // nil: none was sent
	at time.Duration
}

// watcher is who observes /state.
type watcher struct {
	token []byte
	value uint32
	sent  []uint16 // message ids of its notifications
}

const links = `</state>;obs;ct=50;rt="sensor",</identify>;rt="action",</.well-known/core>;ct=40`

// serve answers a request of the server, once for each message id (RFC 7252 section 4.5).
func (s *Sensor) serve(m *coap.Message, put func(*coap.Message)) {
	s.answers = slices.DeleteFunc(s.answers, func(a answered) bool { return s.up-a.at > exchangeLifetime })
	for _, a := range s.answers {
		if a.id == m.ID && !s.has("coap-dup-executes") {
			if a.m != nil {
				put(a.m)
			}
			return
		}
	}
	a := s.respond(m)
	if s.answers = append(s.answers, answered{id: m.ID, m: a, at: s.up}); len(s.answers) > cacheMax {
		s.answers = s.answers[1:]
	}
	if a != nil {
		put(a)
	}
}

// respond makes the response to a request; nil when there is to be none.
func (s *Sensor) respond(req *coap.Message) *coap.Message {
	m := &coap.Message{Type: coap.ACK, ID: req.ID, Token: req.Token}
	if req.Type == coap.NON {
		m.Type, m.ID = coap.NON, s.nextID()
	}
	for _, o := range req.Options {
		unknown := !o.ID.Known() || len(faults(o)) > 0
		if unknown && o.ID.Critical() && !s.has("coap-critical-ignored") || unknown && s.has("coap-elective-rejected") {
			if req.Type == coap.NON {
				return nil
			}
			m.Code = coap.BadOption
			return m
		}
	}
	s.route(req, m)
	return m
}

// faults lists what is wrong with one option.
func faults(o coap.Option) []*coap.Error {
	return (&coap.Message{Options: []coap.Option{o}}).Faults()
}

// route finds the resource that a request is for.
func (s *Sensor) route(req, m *coap.Message) {
	format, hasFormat := req.Uint(coap.ContentFormat)
	accept, accepts := req.Uint(coap.Accept)
	switch path := req.Path(); {
	case path == "/.well-known/core" && req.Code == coap.GET:
		s.content(req, m, coap.LinkFormat, accept, accepts, []byte(links))
	case path == "/state" && req.Code == coap.GET:
		s.watch(req, m)
		s.content(req, m, coap.JSON, accept, accepts, s.state())
	case path == "/identify" && req.Code == coap.POST:
		if hasFormat && format != coap.TextPlain && format != coap.JSON && !s.has("coap-codes-format") {
			m.Code = coap.UnsupportedFormat
			return
		}
		s.actions++
		s.say("identify %d", s.actions)
		m.Code = coap.Changed
	case path == "/.well-known/core" || path == "/state" || path == "/identify":
		m.Code = coap.MethodNotAllowed
		if s.has("coap-codes-method") {
			m.Code = coap.Content
		}
	default:
		m.Code = coap.NotFound
		if s.has("coap-codes-path") {
			m.Code = coap.InternalServerError
		}
	}
}

// content puts a body into a response, by blocks where the request asks for them.
func (s *Sensor) content(req, m *coap.Message, format, accept uint32, accepts bool, body []byte) {
	if accepts && accept != format && !s.has("coap-codes-format") {
		m.Code, m.Options = coap.NotAcceptable, nil
		return
	}
	m.Code = coap.Content
	m.AddUint(coap.ContentFormat, format)
	b, ok := req.Block(coap.Block2)
	if !ok {
		m.Payload = body
		return
	}
	if b.Offset() >= len(body) {
		m.Code, m.Options = coap.BadOption, nil
		return
	}
	end := min(b.Offset()+b.Size(), len(body))
	m.Payload = body[b.Offset():end]
	m.SetBlock(coap.Block2, coap.Block{Num: b.Num, More: end < len(body), SZX: b.SZX})
}

// state is what /state holds.
func (s *Sensor) state() []byte {
	body, err := json.Marshal(map[string]any{"seq": s.set.Seq, "alarm_tenths": s.set.Alarm, "config": s.set.Config, "identified": s.actions})
	if err != nil {
		s.say("state not encoded: %v", err)
	}
	return body
}

// watch adds or removes an observer of /state as the request says.
func (s *Sensor) watch(req, m *coap.Message) {
	n, ok := req.Uint(coap.Observe)
	if !ok {
		return
	}
	s.watchers = slices.DeleteFunc(s.watchers, func(w watcher) bool {
		return bytes.Equal(w.token, req.Token) && !s.has("coap-watcher-kept")
	})
	if n != 0 {
		return
	}
	if len(s.watchers) == 4 {
		s.watchers = s.watchers[1:]
	}
	s.watchers = append(s.watchers, watcher{token: bytes.Clone(req.Token), value: 1})
	m.AddUint(coap.Observe, 1)
}

// notifyWatchers tells the observers of /state of a new reading.
func (s *Sensor) notifyWatchers() {
	if s.link == nil || s.deaf {
		return
	}
	for i := range s.watchers {
		w := &s.watchers[i]
		w.value++
		m := (&coap.Message{Type: coap.NON, Code: coap.Content, ID: s.nextID(), Token: w.token, Payload: s.state()}).
			AddUint(coap.Observe, w.value).AddUint(coap.ContentFormat, coap.JSON)
		if w.sent = append(w.sent, m.ID); len(w.sent) > 8 {
			w.sent = w.sent[1:]
		}
		s.put(m)
	}
}
