package sensor

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// observation is how the sensor follows its settings (RFC 7641).
type observation struct {
	token      []byte
	registered bool
	value      uint32 // of the freshest notification
	at         time.Duration
	registerAt time.Duration // when to register, first or anew
}

// register asks for the settings, and to be told of changes. Anew it does so with the same token.
func (s *Sensor) register() {
	if s.obs.token == nil {
		s.obs.token = s.token()
	}
	s.obs.registerAt, s.obs.registered = never, false
	m := (&coap.Message{Code: coap.GET, Token: bytes.Clone(s.obs.token)}).SetPath(settingsPath).AddUint(coap.Observe, 0)
	s.ask(&request{m: m, kind: register})
}

// registered goes on after the answer to a registration.
func (s *Sensor) registered(m *coap.Message) {
	value, ok := m.Uint(coap.Observe)
	if m.Code != coap.Content || !ok {
		s.say("settings are not observed: %s", m.Code)
		s.obs.registerAt = s.up + defaultMaxAge
		if m.Code == coap.Content {
			s.settings(m)
		}
		return
	}
	s.obs.registered, s.obs.value, s.obs.at = true, value, s.up
	s.renew(m)
	s.settings(m)
}

// renew sets the time at which the sensor asks again, as it would not notice a server that forgot it (RFC 7641 section 3.3.1).
func (s *Sensor) renew(m *coap.Message) {
	s.obs.registerAt = s.up + maxAge(m) + 5*time.Second + time.Duration(s.rng.Int64N(int64(10*time.Second)))
	if s.has("coap-observe-forgotten") || s.has("coap-speaks-rarely") {
		s.obs.registerAt = never
	}
}

// notified takes a notification that is fresher than the last (RFC 7641 section 3.4).
func (s *Sensor) notified(m *coap.Message) {
	value, ok := m.Uint(coap.Observe)
	if m.Code.Class() != 2 || !ok {
		s.say("observation ended: %s", m.Code)
		s.obs = observation{registerAt: s.up + sampleEvery}
		return
	}
	then, now := time.Unix(0, int64(s.obs.at)), time.Unix(0, int64(s.up))
	if !coap.Fresher(s.obs.value, then, value, now) && !s.has("coap-observe-stale") {
		return
	}
	s.obs.value, s.obs.at = value, s.up
	s.renew(m)
	s.settings(m)
}

// settings takes the settings, or begins to get the rest of them.
func (s *Sensor) settings(m *coap.Message) {
	if b, ok := m.Block(coap.Block2); ok && b.More {
		f := &fetch{path: settingsPath}
		if _, err := s.take(f, m); err == nil && s.more == nil {
			s.more = f
			s.block(rest, f)
		}
		return
	}
	s.apply(m.Payload)
}

// restBlock goes on with a notification that is larger than a block.
func (s *Sensor) restBlock(m *coap.Message) {
	f := s.more
	complete, err := s.take(f, m)
	switch {
	case err != nil:
		s.more = nil
		s.obs.registerAt = s.up // the whole again
	case complete:
		s.more = nil
		s.apply(f.body)
		if s.has("coap-observe-lost-after-block") {
			s.obs.token, s.obs.registered = nil, false
		}
	default:
		s.block(rest, f)
	}
}

// apply puts settings in force.
func (s *Sensor) apply(body []byte) {
	var v struct {
		Alarm *int `json:"alarm_tenths"`
	}
	if err := json.Unmarshal(body, &v); err != nil || v.Alarm == nil {
		s.say("settings refused: %d bytes", len(body))
		return
	}
	if s.has("coap-observe-first-only") && s.set.Alarm != 300 {
		return
	}
	s.set.Alarm = *v.Alarm
	s.save()
	s.say("settings: alarm at %d tenths", *v.Alarm)
	if s.has("coap-speaks-rarely") {
		s.sample = s.up
	}
}
