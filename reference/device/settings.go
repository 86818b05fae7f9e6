package device

import (
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// dedupWindow is how many command ids the device remembers.
const dedupWindow = 64

// settings are what outlives a power cut.
type settings struct {
	Boots    int      `json:"boots"`
	Sequence uint64   `json:"sequence"` // of the last reading
	Target   int      `json:"target"`   // tenths of a degree
	Offset   int      `json:"offset"`   // of the sensor, tenths of a degree
	Changes  int      `json:"changes"`  // of the target: the version of the state
	Executed []string `json:"executed"` // ids of the last commands, oldest first
	Retained string   `json:"retained"` // id of the last retained command; it comes again at every subscription, however long ago it was
	Old      bool     `json:"old"`      // the server does not speak MQTT 5.0

	Document   string    `json:"document"` // id of the configuration in effect
	Language   string    `json:"language"`
	Token      string    `json:"token"`       // for the API; empty: that of the factory
	Wanted     *packRef  `json:"wanted"`      // language pack that is to be fetched; nil: none
	Pack       string    `json:"pack"`        // SHA-256 of the language pack in effect
	NameNumber int       `json:"name_number"` // in its name in the home network; 0: none
	Remote     bool      `json:"remote"`      // a port of the router is to be open
	Mapped     uint16    `json:"mapped"`      // which it is; 0: none
	LastTime   time.Time `json:"last_time"`   // as the last time server told it

	Session session   `json:"session"`
	Backlog []reading `json:"backlog"` // not yet sent, oldest first
	Events  []message `json:"events"`  // not yet sent, oldest first
}

// message is a publication with QoS 1 on its way to the server.
type message struct {
	Kind    kind          `json:"kind"`
	ID      uint16        `json:"id"`
	Payload []byte        `json:"payload"`
	Tries   int           `json:"tries"` // refused by the server so often
	Again   bool          `json:"again"` // was sent before: DUP
	sent    bool          // on this connection
	at      time.Duration // uptime of sending
}

// kind is what a message is about: the last level of its topic.
type kind string

const (
	telemetry kind = "telemetry"
	event     kind = "event"
	state     kind = "state"
	status    kind = "status"
	local     kind = "local" // where it can be reached in the home network
)

// retained reports whether the server is to keep the message for those who come later.
func (k kind) retained() bool { return k == state || k == status || k == local }

// executed reports whether the command id was carried out before.
func (s *settings) executed(id string, retained bool) bool {
	return retained && id == s.Retained || slices.Contains(s.Executed, id)
}

// remember notes that the command id is carried out.
func (s *settings) remember(id string, retained bool) {
	s.Executed = append(s.Executed, id)
	if n := len(s.Executed) - dedupWindow; n > 0 {
		s.Executed = slices.Delete(s.Executed, 0, n)
	}
	if retained {
		s.Retained = id
	}
}

// version is the protocol version to try.
func (s *settings) version(preferred mqtt.Version) mqtt.Version {
	if s.Old {
		return mqtt.V311
	}
	return preferred
}
