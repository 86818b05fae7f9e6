package mqtt

import "fmt"

// The MQTT 5.0 reason codes (section 2.4) that Error.Code takes.
const (
	codeMalformed      = 0x81
	codeProtocolError  = 0x82
	codeBadVersion     = 0x84
	codeBadClientID    = 0x85
	codeAliasInvalid   = 0x94
	codePacketTooLarge = 0x95
)

// Error is one violation of the standard in a packet, a topic name or a topic filter.
type Error struct {
	Offset    int    // of the offending byte, from the first byte of the packet (of the string for ValidTopic and ValidFilter)
	Reason    string // what is wrong, such as "topic name holds a wildcard"
	Statement string // the id such as "MQTT-3.3.2-2", or "section 2.2.2.2" where the standard numbers no statement; may be empty
	Code      byte   // the MQTT 5.0 reason code that a receiver answers with, such as 0x81 for a malformed packet
}

// Error gives reason, offset and statement in one line.
func (e *Error) Error() string {
	if e.Statement == "" {
		return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
	}
	return fmt.Sprintf("%s at byte %d [%s]", e.Reason, e.Offset, e.Statement)
}

// named puts the name of a field before the reason of a fault found in its text, and moves the offset by base.
func (e *Error) named(field string, base int) *Error {
	return &Error{Offset: base + e.Offset, Reason: field + " " + e.Reason, Statement: e.Statement, Code: e.Code}
}
