package endpoint

import (
	"crypto/tls"
	"strings"

	"github.com/shakedown-test/shakedown/link"
)

// AlertHello answers every ClientHello with the fatal alert of that description (RFC 8446, section 6), then a FIN.
func (e *Endpoint) AlertHello(description byte) (undo func()) {
	return e.impair("alert: "+alertName(description), e.scripts.Push(func(c *link.Conn, _ *Hello) {
		const fatal = 2
		c.Write(record(recordAlert, tls.VersionTLS12, []byte{fatal, description})) // that it failed shows as the link's Close event
	}))
}

// alertName is crypto/tls's name of an alert, such as "bad certificate".
func alertName(description byte) string {
	return strings.TrimPrefix(tls.AlertError(description).Error(), "tls: ")
}

// record frames a plaintext TLS record of at most maxRecord bytes.
func record(kind byte, version uint16, body []byte) []byte {
	return append([]byte{kind, byte(version >> 8), byte(version), byte(len(body) >> 8), byte(len(body))}, body...)
}
