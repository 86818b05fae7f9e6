package device

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

// ErrCrashed is returned by Run when the firmware crashed, which only a planted defect makes it do.
var ErrCrashed = errors.New("firmware crashed")

// Config is what is fixed when a device is made, and the machine that it runs on.
type Config struct {
	ID       string // device id, also the MQTT client id
	Firmware string // its version, such as "2.1"

	Host    string       // name of the broker: dialled, sent as SNI and compared with its certificate
	Port    string       // of the broker, decimal
	Version mqtt.Version // that it prefers; 5.0 falls back to 3.1.1 once when it is refused

	API      string // URL of the HTTP API, such as "https://api.example:443"; empty: none
	APIToken string // bearer token that the device was made with
	Proxy    string // URL of an HTTP proxy before the API, with user and password where it wants them; empty: none

	WebSocket  bool // MQTT goes over WebSocket
	TLS        bool
	Roots      []byte    // PEM: the authorities that it trusts
	ClientCert []byte    // PEM, may be empty
	ClientKey  []byte    // PEM
	Built      time.Time // of the firmware; its clock is never believed to be earlier

	Clock *clock.Clock
	Net   *internet.Host // its Ethernet port, which it configures by DHCP; nil: the network is there
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	Home  Home // the home network; nil: it tells nobody there of itself

	// Resolvers are those that the network told it of, best first; with nil, Dial is given names, else addresses only. IPv6 says whether
	// the network has it; nil: it has not. IPv4 says the same; nil: it has. TimeServers are names; none: the clock is always right. ListenPacket opens UDP ports for both.
	Resolvers    func() []netip.Addr
	IPv6         func() bool
	IPv4         func() bool
	TimeServers  []string
	ListenPacket func(at netip.AddrPort) (net.PacketConn, error)

	State string            // folder that outlives restarts
	Out   func(line string) // the console
	Seed  uint64            // of its jitter and its sensor

	Defects map[string]bool // planted on purpose, by id
}

// What the makers declare of it. All are device time.
const (
	connectWait   = 10 * time.Second // for TCP, and then for TLS
	connackWait   = 15 * time.Second
	subackWait    = 10 * time.Second
	writeWait     = 10 * time.Second // for a peer that does not read
	keepAlive     = 30 * time.Second
	sampleEvery   = 5 * time.Second
	sessionExpiry = time.Hour
)

// Limits of its memory.
const (
	offlineBuffer  = 20        // readings
	eventBuffer    = 1024      // events not yet acknowledged
	receiveMaximum = 16        // QoS 1 and 2 messages in flight to it
	sendWindow     = 16        // QoS 1 messages in flight from it
	readingWindow  = 6         // of them readings, so that they never block an event
	aliasMaximum   = 8         // topic aliases from the server
	maxPacket      = 256 << 10 // bytes that it takes in 5.0, where it can say so
	maxPacketOld   = 2 << 20   // bytes that it takes in 3.1.1, where it cannot: what is too large has to be acknowledged to be rid of it
	maxPayload     = 64 << 10  // bytes of a payload that it looks at
)

// has reports whether a defect is planted.
func (c *Config) has(defect string) bool { return c.Defects[defect] }

// topic is one of the device's own topics.
func (c *Config) topic(name string) string { return "thermostat/" + c.ID + "/" + name }

// parent is the domain that a host name stands in; empty for a name of one label.
func parent(host string) string {
	_, domain, _ := strings.Cut(strings.TrimSuffix(host, "."), ".")
	return strings.ToLower(domain)
}
