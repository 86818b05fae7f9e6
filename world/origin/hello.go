package origin

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/pion/dtls/v3"
)

// Hello is what a ClientHello says, as the Data of a Hello event.
type Hello struct {
	Random string `json:"random"` // hex; the same in all that belong to one attempt
	Cookie bool   `json:"cookie"` // answers a HelloVerifyRequest
	Seq    uint16 `json:"seq"`    // message sequence
	Epoch  uint16 `json:"epoch"`
	PSK    bool   `json:"psk"` // offers a pre-shared key
}

// keyed are the cipher suites with a pre-shared key that the server speaks (RFC 6655, RFC 5487).
var keyed = map[uint16]bool{
	uint16(dtls.TLS_PSK_WITH_AES_128_CCM_8): true, uint16(dtls.TLS_PSK_WITH_AES_128_CCM): true, uint16(dtls.TLS_PSK_WITH_AES_128_GCM_SHA256): true,
}

// clientHello reads a plaintext ClientHello that is not fragmented, or its first fragment (RFC 6347 section 4.2).
func clientHello(raw []byte) (Hello, bool) {
	const record, message = 13, 12
	if len(raw) < record+message+35 || raw[0] != 22 || raw[record] != 1 {
		return Hello{}, false
	}
	if offset := raw[record+6 : record+9]; offset[0]|offset[1]|offset[2] != 0 {
		return Hello{}, false // a later fragment
	}
	body := raw[record+message:]
	h := Hello{Random: hex.EncodeToString(body[2:34]), Seq: binary.BigEndian.Uint16(raw[record+4:]), Epoch: binary.BigEndian.Uint16(raw[3:])}
	rest := body[34:]
	for i, wide := range []int{1, 1, 2} { // session id, cookie, cipher suites
		if len(rest) < wide {
			return h, true
		}
		n := int(rest[0])
		if wide == 2 {
			n = n<<8 | int(rest[1])
		}
		field := rest[wide:min(wide+n, len(rest))]
		rest = rest[wide+len(field):]
		switch i {
		case 1:
			h.Cookie = len(field) > 0
		case 2:
			for ; len(field) > 1; field = field[2:] {
				h.PSK = h.PSK || keyed[binary.BigEndian.Uint16(field)]
			}
		}
	}
	return h, true
}
