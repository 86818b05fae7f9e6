package sensor

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
)

// ErrCrashed is returned by Run when the firmware crashed, which only a planted defect makes it do.
var ErrCrashed = errors.New("firmware crashed")

// Config is what is fixed when a sensor is made, and the machine that it runs on.
type Config struct {
	ID       string
	Firmware string

	Server   net.Addr // of the CoAP server
	Name     string   // of the server, compared with its certificate
	Secure   bool     // DTLS
	Identity string   // of the pre-shared key
	Key      []byte
	Roots    []byte // PEM: the authorities that it trusts
	Cert     []byte // PEM, its own; empty: it has a pre-shared key
	CertKey  []byte // PEM

	Clock *clock.Clock
	// Listen opens the UDP socket for the server.
	Listen func() (net.PacketConn, error)
	// Local opens the sockets at which the sensor can be found in its own network; the second is that of the group All CoAP Nodes. Nil:
	// it cannot be found.
	Local func() (unicast, group net.PacketConn, err error)
	State string            // folder that outlives restarts
	Out   func(line string) // the console
	Seed  uint64

	Defects map[string]bool // planted on purpose, by id
}

// What the makers declare of it. All are device time.
const (
	sampleEvery   = 5 * time.Second
	bootTime      = time.Second
	handshakeWait = 3 * time.Minute
	reconnectMin  = 5 * time.Second
	reconnectMax  = 60 * time.Second
	fetchRetry    = 30 * time.Second
	handshakeMTU  = 508 // UDP payload that any IPv4 path takes
)

// The transmission parameters of RFC 7252 section 4.8.
const (
	ackTimeout       = 2 * time.Second
	maxRetransmit    = 4
	nstart           = 1
	separateWait     = 90 * time.Second // from the empty acknowledgement to the response
	exchangeLifetime = 247 * time.Second
	leisure          = 5 * time.Second
	defaultMaxAge    = 60 * time.Second
)

// Limits of its memory.
const (
	backlogMax = 20 // readings
	bodyMax    = 8 << 10
	cacheMax   = 16 // answers kept for repeated requests
)

// Paths on the server.
const (
	telemetryPath = "/telemetry"
	configPath    = "/config"
	settingsPath  = "/settings"
)

func (s *Sensor) has(defect string) bool { return s.cfg.Defects[defect] }

// every is the time between two readings.
func (s *Sensor) every() time.Duration {
	if s.has("coap-speaks-rarely") {
		return 10 * time.Minute
	}
	return sampleEvery
}

// dialled is how an attempt to reach the server ended.
type dialled struct {
	link *link
	err  error
}

// connect opens a socket and, where it has to, a DTLS session over it.
func (s *Sensor) connect(ctx context.Context) (*link, error) {
	conn, err := s.cfg.Listen()
	if err != nil {
		return nil, err
	}
	if !s.cfg.Secure {
		return newLink(&plain{PacketConn: conn, to: s.cfg.Server}), nil
	}
	secure, err := s.secure(ctx, conn)
	if err != nil {
		_ = conn.Close() // the handshake's error says why
		return nil, err
	}
	return newLink(secure), nil
}
