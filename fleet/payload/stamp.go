// Package payload makes the payloads of a fleet from templates, and recognises its own messages when they come back.
package payload

// Stamp is what stands in a payload so that its message can be recognised wherever it turns up, as text that JSON, CBOR strings and topics
// can hold.
type Stamp struct {
	Run    uint32
	Source uint32 // stream of a device
	Seq    uint32
	Tenant uint32
	Due    int64 // when it was meant to be sent, in microseconds since 1970
}

// StampSize is the length of a stamp as text in bytes.
const StampSize = 48
