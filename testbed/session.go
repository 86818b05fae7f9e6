package testbed

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// Attempt is the connection that the session runs on, with its handshake.
func (s *Session) Attempt(b *Bed) Attempt {
	for _, a := range Attempts(b.Log.Since(0)) {
		if a.Conn == s.Conn.Number() {
			return a
		}
	}
	return Attempt{}
}

// Secured is how TLS was set up for the session; nil without TLS.
func (s *Session) Secured(b *Bed) *endpoint.State { return s.Attempt(b).Secure }

// Takes is a topic name that the device subscribed to with at least that QoS, and whether there is one.
func (s *Session) Takes(qos byte) (topic string, ok bool) {
	for _, sub := range s.Conn.Subscriptions() {
		if sub.QoS >= qos {
			return TopicUnder(sub.Filter), true
		}
	}
	return "", false
}

// Grants is the QoS with which the device gets what is published to topic: the highest of the subscriptions that match, and whether
// there is one.
func (s *Session) Grants(topic string) (qos byte, ok bool) {
	for _, sub := range s.Conn.Subscriptions() {
		if mqtt.Match(sub.Filter, topic) {
			qos, ok = max(qos, sub.QoS), true
		}
	}
	return qos, ok
}

// Kept reports whether the device asked for a session that outlives its connection: Clean Session 0 in 3.1.1 (section 3.1.2.4), a
// Session Expiry Interval above 0 and Clean Start 0 in 5.0 (section 3.1.2.11.2).
func (s *Session) Kept() bool {
	if s.Connect.Connect.Clean {
		return false
	}
	return s.Version != mqtt.V5 || s.Connect.Props.Int(mqtt.SessionExpiry, 0) > 0
}

// Resumed reports whether the broker told the device that it has its session still, in the events of the session.
func (s *Session) Resumed(b *Bed) bool {
	for _, e := range b.Log.Since(s.Mark) {
		if p, ok := broker.Sent(e, mqtt.CONNACK); ok && e.Conn == s.Conn.Number() {
			return p.SessionPresent
		}
	}
	return false
}

// GivenCertificate reports whether the device was handed the certificate that Shakedown issued for it: its command or environment
// names the placeholder, or its driver hands over everything.
func (d *Device) GivenCertificate() bool {
	switch d.Part.Driver {
	case "external", "human":
		return false
	case "process", "exec":
		names := func(s string) bool { return strings.Contains(s, "{client.cert}") }
		if slices.ContainsFunc(d.Part.Command, names) || slices.ContainsFunc(d.Part.Control, names) {
			return true
		}
		for _, v := range d.Part.Env {
			if names(v) {
				return true
			}
		}
		return false
	}
	return true
}

// Certify gives the device another certificate of its own, which ends at notAfter; the one that it had comes back with the undo. The
// device reads it at its next start.
func (d *Device) Certify(notAfter time.Time) (undo func(), err error) {
	client, err := d.bed.PKI.Client(d.ID, notAfter)
	if err != nil {
		return nil, fmt.Errorf("issue another certificate for %s: %w", d.Part.Name, err)
	}
	cert, key, err := pki.ClientPEM(client)
	if err != nil {
		return nil, err
	}
	before := map[string][]byte{}
	for file, data := range map[string][]byte{d.bed.file(d.ID, "cert"): cert, d.bed.file(d.ID, "key"): key} {
		if before[file], err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("replace the certificate of %s: %w", d.Part.Name, err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return nil, fmt.Errorf("replace the certificate of %s: %w", d.Part.Name, err)
		}
	}
	return func() {
		for file, data := range before {
			_ = os.WriteFile(file, data, 0o600) // the folder is removed with the testbed
		}
	}, nil
}
