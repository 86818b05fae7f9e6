package record

import (
	"errors"
	"fmt"
	"io"
)

// Alert is the description of an alert (RFC 8446, section 6).
type Alert uint8

// The alerts that this package sends.
const (
	CloseNotify       Alert = 0
	UnexpectedMessage Alert = 10
	BadRecordMAC      Alert = 20
	RecordOverflow    Alert = 22
	IllegalParameter  Alert = 47
	DecodeError       Alert = 50
	InternalError     Alert = 80
	UserCanceled      Alert = 90
)

var alertNames = map[Alert]string{
	CloseNotify: "close_notify", UnexpectedMessage: "unexpected_message", BadRecordMAC: "bad_record_mac",
	RecordOverflow: "record_overflow", 40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate",
	44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", IllegalParameter: "illegal_parameter",
	48: "unknown_ca", 49: "access_denied", DecodeError: "decode_error", 51: "decrypt_error", 70: "protocol_version",
	71: "insufficient_security", InternalError: "internal_error", 86: "inappropriate_fallback", UserCanceled: "user_canceled",
	109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name", 113: "bad_certificate_status_response",
	115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol",
}

// String is the name that the RFC has for it.
func (a Alert) String() string {
	if name, ok := alertNames[a]; ok {
		return name
	}
	return fmt.Sprintf("alert %d", uint8(a))
}

// Error ends a session.
type Error struct {
	Alert  Alert
	Theirs bool   // it is an alert of the server; otherwise it is what the server is to be told, see Session.Close
	Why    string // what was wrong; empty for an alert of theirs
}

func (e *Error) Error() string {
	if e.Theirs {
		return "tls: the server sent the alert " + e.Alert.String()
	}
	return "tls: " + e.Alert.String() + ": " + e.Why
}

// alertFor is what the server is told about the end of a session.
func alertFor(why error) (level byte, a Alert) {
	const warning, fatal = 1, 2
	if why == nil || errors.Is(why, io.EOF) {
		return warning, CloseNotify
	}
	if e, ok := errors.AsType[*Error](why); ok && !e.Theirs {
		return fatal, e.Alert
	}
	return fatal, InternalError
}
