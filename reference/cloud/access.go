package cloud

import (
	"crypto/tls"
	"net"
	"strings"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// The reason codes of refusals.
const (
	badID        = 0x85
	badPassword  = 0x86
	unauthorized = 0x87
)

// authenticate takes a client whose certificate, or user name and password, are those of an account, under the client id that is the
// account's name.
func (c *Cloud) authenticate(k *mqtt.Connect, nc net.Conn) byte {
	if isInner(nc) {
		return 0
	}
	name, proved := certified(nc)
	if !proved {
		_, known := c.store.login(k.User, string(k.Pass))
		if !known {
			return badPassword
		}
		name = k.User
	} else if _, known := c.store.account(name); !known {
		return unauthorized
	}
	if k.ClientID != name {
		return badID
	}
	return 0
}

// certified is the common name of a certificate that the client's key was proved to belong to.
func certified(nc net.Conn) (name string, ok bool) {
	for {
		if t, ok := nc.(*tls.Conn); ok {
			if chains := t.ConnectionState().VerifiedChains; len(chains) > 0 {
				return chains[0][0].Subject.CommonName, true
			}
			return "", false
		}
		w, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return "", false
		}
		nc = w.NetConn()
	}
}

// notices is the topic on which the operator tells all devices something.
const notices = "thermostat/all/notice"

// authorize lets a device write and read its own tree, and read what is for all; and the operator everything.
func (c *Cloud) authorize(conn *broker.Conn, write bool, topic string) bool {
	id := conn.ClientID()
	if id == consumerID {
		return true
	}
	a, ok := c.store.account(id)
	if !ok {
		return false
	}
	if _, rest, shared := mqtt.SplitShare(topic); shared {
		topic = rest
	}
	return a.Role == "operator" || a.Role == "device" && (strings.HasPrefix(topic, "thermostat/"+id+"/") || !write && topic == notices)
}
