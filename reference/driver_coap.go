package reference

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// coapService drives the CoAP side of the reference cloud, which runs inside this process: what sensors are set up with, without DTLS. Its
// server is the stand-in's, which does what the standards say.
type coapService struct {
	env    driver.Env
	server *origin.Server // nil: not running
}

// Start starts the server on the port that it was given.
func (s *coapService) Start(context.Context) error {
	if s.server != nil {
		return nil
	}
	conn, err := net.ListenPacket("udp", net.JoinHostPort("127.0.0.1", s.env.Values["listen.port"]))
	if err != nil {
		return fmt.Errorf("start %s: %w", s.env.Part.Name, err)
	}
	s.env.Log.Add(evidence.Event{Part: s.env.Part.Name, Kind: evidence.Power, Text: "start"})
	own := evidence.NewLog(s.env.Clock.Now, nil, false) // what it sees is its own affair
	s.server = origin.New(origin.Options{
		Part: s.env.Part.Name, Clock: s.env.Clock, Log: own, Conn: conn, Rand: rand.New(rand.NewPCG(s.env.Seed, 7)),
	})
	s.server.Set("/.well-known/core", []byte(`</telemetry>;rt="telemetry",</config>;ct=50;rt="config",</settings>;ct=50;obs;rt="settings"`), coap.LinkFormat)
	s.server.Set("/config", []byte(`{"version":"1"}`), coap.JSON)
	s.server.Put("/settings", []byte(`{"alarm_tenths":300}`), coap.JSON)
	s.server.Serve("/telemetry", origin.Sink())
	s.flawed()
	return nil
}

// flawed plants defects.
func (s *coapService) flawed() {
	response := func(_ *origin.Peer, m *coap.Message) bool { return m.Code.Response() }
	has := func(id string) bool { return slices.Contains(s.env.Defects, id) }
	change := func(match func(*origin.Peer, *coap.Message) bool, f func(*coap.Message)) {
		s.server.When(origin.Rule{Dir: origin.Out, Match: match, Do: origin.Change(f)})
	}
	switch {
	case has("cloud-coap-token-cut"):
		change(response, func(m *coap.Message) { m.Token = m.Token[:min(len(m.Token), 4)] })
	case has("cloud-coap-ack-for-non"):
		change(func(_ *origin.Peer, m *coap.Message) bool { return m.Type == coap.NON }, func(m *coap.Message) { m.Type = coap.ACK })
	case has("cloud-coap-no-404"):
		change(func(_ *origin.Peer, m *coap.Message) bool { return m.Code == coap.NotFound }, func(m *coap.Message) { m.Code = coap.Content })
	case has("cloud-coap-block-shifted"):
		change(func(_ *origin.Peer, m *coap.Message) bool {
			b, ok := m.Block(coap.Block2)
			return ok && b.Num == 2
		}, func(m *coap.Message) { m.Payload = slices.Concat(m.Payload[1:], m.Payload[:1]) })
	case has("cloud-coap-malformed-deaf"):
		s.server.When(origin.Rule{Dir: origin.Out, Match: func(_ *origin.Peer, m *coap.Message) bool { return m.Type == coap.RST }, Do: s.deaf()})
	}
}

// deaf lets five resets pass and answers nothing after that.
func (s *coapService) deaf() origin.Action {
	n := 0
	return func(_ *origin.Peer, m *coap.Message, pass func(*coap.Message)) {
		if n++; n > 5 {
			s.server.Path.Silence()
			return
		}
		pass(m)
	}
}

// Stop ends the server.
func (s *coapService) Stop(context.Context) error {
	if s.server != nil {
		s.env.Log.Add(evidence.Event{Part: s.env.Part.Name, Kind: evidence.Power, Text: "stop"})
	}
	return s.Close()
}

// Close ends the server.
func (s *coapService) Close() error {
	if s.server != nil {
		s.server.Close()
		s.server = nil
	}
	return nil
}
