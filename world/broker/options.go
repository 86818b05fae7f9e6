package broker

import (
	"net"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Options say what sort of broker it is. Clock and Log are needed; the zero value of all else is an open broker of both versions.
type Options struct {
	Part  string // its name in events, such as "cloud"
	Clock *clock.Clock
	Log   *evidence.Log

	Versions []mqtt.Version // the accepted ones; empty: both. Others get CONNACK 0x01 or 0x84 and are closed

	// Authenticate returns 0 to accept a client, else the 5.0 reason code of the CONNACK, which is mapped for 3.1.1. Nil accepts all.
	Authenticate func(*mqtt.Connect, net.Conn) byte
	// Authorize says whether a client may publish to a topic (write) or subscribe to a filter. Nil allows all. A publication that is not
	// allowed gets PUBACK 0x87 in 5.0, and is acknowledged and dropped in 3.1.1; a subscription gets 0x87 or 0x80.
	Authorize func(c *Conn, write bool, topic string) bool

	Capabilities
	Patient   bool // a silent client is not cut off after 1.5 times its keep-alive, so that it can be seen when it gives up itself
	MaxPacket int  // bytes that a packet from a client may have; 0: 2 MiB
}

// Capabilities are what CONNACK announces in 5.0 (section 3.2.2.3) and the broker then keeps to. A zero value is not announced and
// means what the standard says about absence. MaximumQoS and the No… fields hold for 3.1.1 too, as far as it can say so.
type Capabilities struct {
	ReceiveMaximum    uint16
	MaximumPacketSize uint32 // bytes
	TopicAliasMaximum uint16
	MaximumQoS        byte   // 1; 0 and 2 both mean 2. See QoS0Only
	QoS0Only          bool   // maximum QoS 0
	ServerKeepAlive   uint16 // seconds
	MaxSessionExpiry  uint32 // seconds; longer wishes are cut down to it
	NoRetain          bool
	NoWildcard        bool
	NoShared          bool
	NoSubscriptionID  bool
}

func (k Capabilities) maximumQoS() byte {
	switch {
	case k.QoS0Only:
		return 0
	case k.MaximumQoS == 1:
		return 1
	}
	return 2
}

func (k Capabilities) announce() mqtt.Properties {
	var ps mqtt.Properties
	number := func(id mqtt.PropID, n uint32) {
		if n != 0 {
			ps = append(ps, mqtt.Property{ID: id, Int: n})
		}
	}
	no := func(id mqtt.PropID, missing bool) {
		if missing {
			ps = append(ps, mqtt.Property{ID: id})
		}
	}
	number(mqtt.ReceiveMaximum, uint32(k.ReceiveMaximum))
	if q := k.maximumQoS(); q < 2 {
		ps = append(ps, mqtt.Property{ID: mqtt.MaximumQoS, Int: uint32(q)})
	}
	no(mqtt.RetainAvailable, k.NoRetain)
	number(mqtt.MaximumPacketSize, k.MaximumPacketSize)
	number(mqtt.TopicAliasMaximum, uint32(k.TopicAliasMaximum))
	no(mqtt.WildcardAvailable, k.NoWildcard)
	no(mqtt.SubIDAvailable, k.NoSubscriptionID)
	no(mqtt.SharedAvailable, k.NoShared)
	number(mqtt.ServerKeepAlive, uint32(k.ServerKeepAlive))
	return ps
}

// The limits that a hostile part meets. They are far above what a product does.
const (
	maxPacket        = 2 << 20 // bytes, default of Options.MaxPacket
	maxConns         = 10000
	maxOutbox        = 8 << 20 // bytes waiting for one connection
	maxQueueMessages = 10000   // of one session
	maxQueueBytes    = 8 << 20 // of one session
	maxQueuedTotal   = 64 << 20
	maxSubscriptions = 1000     // of one session
	maxFilterBytes   = 32 << 20 // of all sessions
	maxSessions      = 20000
	maxRetained      = 10000
	maxRetainedBytes = 64 << 20
	maxLogged        = 8 << 20 // bytes of packets kept whole in the log; a campaign has dozens of logs
	window           = 100     // messages in flight to one client, if it does not ask for fewer
)

// The waits, in device time.
const (
	connectWait = 30 * time.Second // for a CONNECT
	writeWait   = 60 * time.Second // for a peer that does not read
	finishWait  = 5 * time.Second  // for the same when the connection is ending
)

func (o Options) withDefaults() Options {
	if o.MaxPacket <= 0 {
		o.MaxPacket = maxPacket
	}
	return o
}

func (o Options) accepts(v mqtt.Version) bool {
	if len(o.Versions) == 0 {
		return v == mqtt.V311 || v == mqtt.V5
	}
	return slices.Contains(o.Versions, v)
}
