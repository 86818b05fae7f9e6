package coap

// Type is the type of a message (RFC 7252 section 3).
type Type byte

// The types.
const (
	CON Type = 0 // confirmable: is sent again until it is acknowledged
	NON Type = 1 // non-confirmable
	ACK Type = 2 // acknowledgement
	RST Type = 3 // reset: the message could not be processed
)

// Code is the method of a request or the status of a response: three bits of class, five of detail.
type Code byte

// The codes of RFC 7252 section 12.1, RFC 7959 and RFC 8132.
const (
	Empty  Code = 0
	GET    Code = 0<<5 | 1
	POST   Code = 0<<5 | 2
	PUT    Code = 0<<5 | 3
	DELETE Code = 0<<5 | 4
	FETCH  Code = 0<<5 | 5
	PATCH  Code = 0<<5 | 6
	IPATCH Code = 0<<5 | 7

	Created  Code = 2<<5 | 1
	Deleted  Code = 2<<5 | 2
	Valid    Code = 2<<5 | 3
	Changed  Code = 2<<5 | 4
	Content  Code = 2<<5 | 5
	Continue Code = 2<<5 | 31

	BadRequest           Code = 4 << 5
	Unauthorized         Code = 4<<5 | 1
	BadOption            Code = 4<<5 | 2
	Forbidden            Code = 4<<5 | 3
	NotFound             Code = 4<<5 | 4
	MethodNotAllowed     Code = 4<<5 | 5
	NotAcceptable        Code = 4<<5 | 6
	RequestIncomplete    Code = 4<<5 | 8
	PreconditionFailed   Code = 4<<5 | 12
	RequestTooLarge      Code = 4<<5 | 13
	UnsupportedFormat    Code = 4<<5 | 15
	InternalServerError  Code = 5 << 5
	NotImplemented       Code = 5<<5 | 1
	BadGateway           Code = 5<<5 | 2
	ServiceUnavailable   Code = 5<<5 | 3
	GatewayTimeout       Code = 5<<5 | 4
	ProxyingNotSupported Code = 5<<5 | 5
)

// Class is the first digit: 0 requests, 2 success, 4 client error, 5 server error.
func (c Code) Class() byte { return byte(c) >> 5 }

// Request reports whether c is a method.
func (c Code) Request() bool { return c != Empty && c.Class() == 0 }

// Response reports whether c is the status of a response.
func (c Code) Response() bool { return c.Class() == 2 || c.Class() == 4 || c.Class() == 5 }

// Message is one CoAP message.
type Message struct {
	Version byte     `json:"version,omitempty"` // 0 is written as 1
	Type    Type     `json:"-"`
	Code    Code     `json:"-"`
	ID      uint16   `json:"id"` // message id, which ties ACK and RST to what they answer
	Token   []byte   `json:"-"`  // ties a response to its request; at most 8 bytes are legal, 15 can be written
	Options []Option `json:"-"`  // in the order of their numbers; Bytes sorts them
	Payload []byte   `json:"-"`  // empty: no payload marker is written
}

// Option is one option of a message.
type Option struct {
	ID    OptionID
	Value []byte
}

// OptionID is the number of an option.
type OptionID uint16

// The options of RFC 7252, 7641, 7959, 7967, 8516, 8613 and 9175.
const (
	IfMatch       OptionID = 1
	URIHost       OptionID = 3
	ETag          OptionID = 4
	IfNoneMatch   OptionID = 5
	Observe       OptionID = 6
	URIPort       OptionID = 7
	LocationPath  OptionID = 8
	OSCORE        OptionID = 9
	URIPath       OptionID = 11
	ContentFormat OptionID = 12
	MaxAge        OptionID = 14
	URIQuery      OptionID = 15
	HopLimit      OptionID = 16
	Accept        OptionID = 17
	LocationQuery OptionID = 20
	Block2        OptionID = 23
	Block1        OptionID = 27
	Size2         OptionID = 28
	ProxyURI      OptionID = 35
	ProxyScheme   OptionID = 39
	Size1         OptionID = 60
	Echo          OptionID = 252
	NoResponse    OptionID = 258
	RequestTag    OptionID = 292
)

// Content formats (RFC 7252 section 12.3).
const (
	TextPlain   = 0
	LinkFormat  = 40
	OctetStream = 42
	JSON        = 50
	CBOR        = 60
)

// Critical reports whether a receiver that does not know the option must reject the message (RFC 7252 section 5.4.1).
func (id OptionID) Critical() bool { return id&1 == 1 }

// rule is what the registry says of an option.
type rule struct {
	name     string
	format   byte // e empty, o opaque, s string, u uint
	min, max int  // bytes of a value
	repeats  bool
}

var rules = map[OptionID]rule{
	IfMatch:       {"If-Match", 'o', 0, 8, true},
	URIHost:       {"Uri-Host", 's', 1, 255, false},
	ETag:          {"ETag", 'o', 1, 8, true}, // repeats in requests only
	IfNoneMatch:   {"If-None-Match", 'e', 0, 0, false},
	Observe:       {"Observe", 'u', 0, 3, false},
	URIPort:       {"Uri-Port", 'u', 0, 2, false},
	LocationPath:  {"Location-Path", 's', 0, 255, true},
	OSCORE:        {"OSCORE", 'o', 0, 255, false},
	URIPath:       {"Uri-Path", 's', 0, 255, true},
	ContentFormat: {"Content-Format", 'u', 0, 2, false},
	MaxAge:        {"Max-Age", 'u', 0, 4, false},
	URIQuery:      {"Uri-Query", 's', 0, 255, true},
	HopLimit:      {"Hop-Limit", 'u', 1, 1, false},
	Accept:        {"Accept", 'u', 0, 2, false},
	LocationQuery: {"Location-Query", 's', 0, 255, true},
	Block2:        {"Block2", 'u', 0, 3, false},
	Block1:        {"Block1", 'u', 0, 3, false},
	Size2:         {"Size2", 'u', 0, 4, false},
	ProxyURI:      {"Proxy-Uri", 's', 1, 1034, false},
	ProxyScheme:   {"Proxy-Scheme", 's', 1, 255, false},
	Size1:         {"Size1", 'u', 0, 4, false},
	Echo:          {"Echo", 'o', 1, 40, false},
	NoResponse:    {"No-Response", 'u', 0, 1, false},
	RequestTag:    {"Request-Tag", 'o', 0, 8, true},
}

// Known reports whether the package knows an option.
func (id OptionID) Known() bool { _, ok := rules[id]; return ok }
