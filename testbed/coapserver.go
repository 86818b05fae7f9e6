package testbed

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoAPServer is a real server under test that speaks CoAP, with a client of ours.
type CoAPServer struct {
	Part   product.Part
	Peer   *origin.Peer   // the server, to be asked
	Client *origin.Server // who asks

	bed *Bed
	drv driver.Driver
}

// openCoAPServer prepares a real server. It is not started yet.
func (b *Bed) openCoAPServer(part product.Part) error {
	if !b.Product.Carries(part.Name, product.COAP) {
		return fmt.Errorf("it has no link of protocol coap\nhint: servers are tested over plain CoAP only; add such a link to %s", part.Name)
	}
	at := part.Address
	state := filepath.Join(b.cfg.Dir, "coap-server")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	values := map[string]string{
		"state.dir": state, "variant.name": b.Variant.Name, "variant.hardware": b.Variant.Hardware, "variant.firmware": b.Variant.Firmware,
	}
	for name, value := range b.Variant.Set {
		values["variant."+name] = value
	}
	if at == "" {
		port, err := freePort()
		if err != nil {
			return fmt.Errorf("find a free port for it: %w", err)
		}
		values["listen.port"] = strconv.Itoa(port)
		values["coap.port"] = values["listen.port"]
		at = net.JoinHostPort("127.0.0.1", values["listen.port"])
	}
	to, err := net.ResolveUDPAddr("udp", at)
	if err != nil {
		return fmt.Errorf("find its address: %w", err)
	}
	from := ""
	if to.IP.IsLoopback() {
		from = to.IP.String()
	}
	conn, err := net.ListenPacket("udp", net.JoinHostPort(from, "0"))
	if err != nil {
		return fmt.Errorf("open a socket for the client: %w", err)
	}
	s := &CoAPServer{Part: part, bed: b}
	s.Client = origin.New(origin.Options{Part: "client", Clock: b.Clock, Log: b.Log, Conn: conn, Rand: rand.New(rand.NewPCG(b.cfg.Seed, 0xc11e))})
	b.Undo(s.Client.Close)
	if s.Peer, err = s.Client.Connect(to); err != nil {
		return err
	}
	s.drv, err = driver.Open(b.cfg.Kinds, driver.Env{
		Clock: b.Clock, Log: b.Log, Part: part, Variant: b.Variant, Seed: b.cfg.Seed, State: state, Values: values,
		Defects: b.cfg.Defects, Ask: b.cfg.Ask, Tell: b.cfg.Tell,
	})
	if err != nil {
		return err
	}
	b.Undo(func() { s.drv.Close() })
	b.CoAPServer = s
	return nil
}

// Start starts the server and waits until it answers an empty message. The error wraps ErrDown.
func (s *CoAPServer) Start(ctx context.Context) error {
	if err := s.drv.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", s.Part.Name, err)
	}
	wait, cancel := context.WithTimeout(ctx, upWait)
	defer cancel()
	for wait.Err() == nil {
		if s.Ping(wait) {
			return nil
		}
	}
	return fmt.Errorf("%w: no answer to an empty message within %s", ErrDown, upWait)
}

// Ping reports whether the server answers an empty confirmable message by a reset within a second.
func (s *CoAPServer) Ping(ctx context.Context) bool {
	mark := s.bed.Log.Len()
	ping := &coap.Message{Type: coap.CON, ID: s.Peer.NextID()}
	s.Peer.Send(ping)
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := s.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		m, ok := origin.Got(e)
		return ok && m.ID == ping.ID && m.Type == coap.RST
	})
	return err == nil
}
