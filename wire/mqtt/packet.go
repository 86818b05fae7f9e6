// Package mqtt is the MQTT 3.1.1 and 5.0 wire format: it decodes strictly or leniently with the exact reason and byte offset of
// what is wrong, and encodes whatever it is told, legal or not.
//
// Statement ids such as [MQTT-3.1.0-1] are those of the OASIS standards; where the two versions number a statement differently,
// the one of the version at hand is named.
package mqtt

// Version is the protocol level byte of CONNECT.
type Version byte

// The versions that this package speaks.
const (
	V311 Version = 4
	V5   Version = 5
)

// Type is the packet type, the upper four bits of the first byte.
type Type byte

// The packet types of MQTT 5.0 section 2.1.2; AUTH is reserved in 3.1.1.
const (
	CONNECT Type = 1 + iota
	CONNACK
	PUBLISH
	PUBACK
	PUBREC
	PUBREL
	PUBCOMP
	SUBSCRIBE
	SUBACK
	UNSUBSCRIBE
	UNSUBACK
	PINGREQ
	PINGRESP
	DISCONNECT
	AUTH
)

// Packet is any control packet. Type says which fields count.
type Packet struct {
	Type    Type    `json:"type"`
	Version Version `json:"-"` // of the connection it travels on; Append encodes for it

	// PUBLISH
	Dup     bool   `json:"dup,omitempty"`
	QoS     byte   `json:"qos,omitempty"` // 0..2; 3 can be sent on purpose
	Retain  bool   `json:"retain,omitempty"`
	Topic   string `json:"topic,omitempty"`
	Payload []byte `json:"payload,omitempty"`

	// PUBLISH with QoS 1 or 2, the acknowledgements, SUBSCRIBE, UNSUBSCRIBE
	ID uint16 `json:"id,omitempty"`

	Connect        *Connect       `json:"connect,omitempty"`         // CONNECT
	SessionPresent bool           `json:"session_present,omitempty"` // CONNACK
	Code           byte           `json:"code,omitempty"`            // CONNACK return code; v5 reason code of CONNACK, PUBACK…PUBCOMP, DISCONNECT, AUTH
	Codes          []byte         `json:"codes,omitempty"`           // SUBACK, UNSUBACK (v5)
	Filters        []Subscription `json:"filters,omitempty"`         // SUBSCRIBE; UNSUBSCRIBE uses the Filter alone
	Props          Properties     `json:"props,omitempty"`           // v5
}

// Connect holds the fields of a CONNECT packet (section 3.1).
type Connect struct {
	Protocol  string  `json:"protocol"` // "MQTT"
	Level     Version `json:"level"`
	Clean     bool    `json:"clean"`      // Clean Session (3.1.1), Clean Start (5.0)
	KeepAlive uint16  `json:"keep_alive"` // seconds; 0 is off
	ClientID  string  `json:"client_id"`
	Will      *Will   `json:"will,omitempty"`
	HasUser   bool    `json:"has_user,omitempty"`
	User      string  `json:"user,omitempty"`
	HasPass   bool    `json:"has_pass,omitempty"`
	Pass      []byte  `json:"-"` // never written to evidence
}

// Will is the will message of a CONNECT.
type Will struct {
	Topic   string     `json:"topic"`
	Payload []byte     `json:"payload,omitempty"`
	QoS     byte       `json:"qos"`
	Retain  bool       `json:"retain"`
	Props   Properties `json:"props,omitempty"` // v5
}

// Subscription is one entry of a SUBSCRIBE.
type Subscription struct {
	Filter            string `json:"filter"`
	QoS               byte   `json:"qos"`
	NoLocal           bool   `json:"no_local,omitempty"`            // v5
	RetainAsPublished bool   `json:"retain_as_published,omitempty"` // v5
	RetainHandling    byte   `json:"retain_handling,omitempty"`     // v5: 0..2
}

// PropID is a property identifier of MQTT 5.0 section 2.2.2.2.
type PropID byte

// The property identifiers.
const (
	PayloadFormat          PropID = 0x01 // byte
	MessageExpiry          PropID = 0x02 // four bytes, seconds
	ContentType            PropID = 0x03 // string
	ResponseTopic          PropID = 0x08 // string
	CorrelationData        PropID = 0x09 // binary
	SubscriptionIdentifier PropID = 0x0B // variable byte integer, may repeat
	SessionExpiry          PropID = 0x11 // four bytes, seconds
	AssignedClientID       PropID = 0x12 // string
	ServerKeepAlive        PropID = 0x13 // two bytes, seconds
	AuthMethod             PropID = 0x15 // string
	AuthData               PropID = 0x16 // binary
	RequestProblemInfo     PropID = 0x17 // byte
	WillDelay              PropID = 0x18 // four bytes, seconds
	RequestResponseInfo    PropID = 0x19 // byte
	ResponseInfo           PropID = 0x1A // string
	ServerReference        PropID = 0x1C // string
	ReasonString           PropID = 0x1F // string
	ReceiveMaximum         PropID = 0x21 // two bytes
	TopicAliasMaximum      PropID = 0x22 // two bytes
	TopicAlias             PropID = 0x23 // two bytes
	MaximumQoS             PropID = 0x24 // byte
	RetainAvailable        PropID = 0x25 // byte
	UserProperty           PropID = 0x26 // string pair, may repeat
	MaximumPacketSize      PropID = 0x27 // four bytes
	WildcardAvailable      PropID = 0x28 // byte
	SubIDAvailable         PropID = 0x29 // byte
	SharedAvailable        PropID = 0x2A // byte
)

// Property is one property as it stands on the wire. Which of the fields counts follows from ID.
type Property struct {
	ID    PropID `json:"id"`
	Int   uint32 `json:"int,omitempty"`   // byte, two bytes, four bytes, variable byte integer
	Text  string `json:"text,omitempty"`  // string; the key of a string pair
	Value string `json:"value,omitempty"` // the value of a string pair
	Data  []byte `json:"data,omitempty"`  // binary
}

// Properties keeps properties in wire order, so that illegal repetitions can be sent and seen.
type Properties []Property

// Int returns the number of the first property id, or def when there is none.
func (ps Properties) Int(id PropID, def uint32) uint32 {
	for _, p := range ps {
		if p.ID == id {
			return p.Int
		}
	}
	return def
}

// Text returns the string of the first property id, and whether there is one.
func (ps Properties) Text(id PropID) (string, bool) {
	for _, p := range ps {
		if p.ID == id {
			return p.Text, true
		}
	}
	return "", false
}

// Has reports whether property id is there.
func (ps Properties) Has(id PropID) bool {
	for _, p := range ps {
		if p.ID == id {
			return true
		}
	}
	return false
}
