// Package product is the connected product under test, as its maker describes it in the product file: parts with their drivers,
// the links between them, variants, declared values and accepted deviations.
package product

import "time"

// Product is a whole product file.
type Product struct {
	Name     string      `yaml:"product"`            // what it is called in reports
	Launch   Date        `yaml:"launch,omitempty"`   // the day on which it is to be launched
	Parts    []Part      `yaml:"parts,named"`        // at least one real part; written as a mapping from names to parts
	Links    []Link      `yaml:"links,omitempty"`    // how they speak
	Variants []Variant   `yaml:"variants,omitempty"` // none: one variant named default, for all users
	Declared Declared    `yaml:"declared,omitempty"` // what the maker promises
	Networks []Network   `yaml:"networks,omitempty"` // network profiles in which the product is promised to work
	Accepted []Deviation `yaml:"accepted,omitempty"` // findings that the maker accepts, until a day
	Exclude  []Exclusion `yaml:"exclude,omitempty"`  // risks that this launch decision leaves out
	States   []Statement `yaml:"states,omitempty"`   // what the maker states on requirements that no check measures
	Fleet    *Fleet      `yaml:"fleet,omitempty"`    // the devices of load runs, as in a fleet file
}

// Role is what a part is to the product.
type Role string

// The roles. Firmware, packages and contracts are files, an endpoint is what a server sends: they are looked at, not run.
const (
	Device      Role = "device"
	Gateway     Role = "gateway"
	Cloud       Role = "cloud" // also a broker that stands alone
	App         Role = "app"
	Integration Role = "integration"
	Firmware    Role = "firmware"
	Package     Role = "package"
	Contract    Role = "contract"
	Endpoint    Role = "endpoint"  // the certificates that a server of the product sends
	Artefact    Role = "artefact"  // in Needs: firmware and packages
	Inspected   Role = "inspected" // in Needs: firmware, packages and endpoints
)

// Artefact says whether a part of this role is looked at and not run.
func (r Role) Artefact() bool {
	return r == Firmware || r == Package || r == Contract || r == Endpoint
}

// What is the role in words, with which a sentence can go on after "a" or "no".
func (r Role) What() string {
	switch r {
	case Artefact:
		return "firmware image or app package"
	case Inspected:
		return "firmware image, app package or endpoint"
	case Firmware:
		return "firmware image"
	case Package:
		return "app package"
	}
	return string(r)
}

// Is says whether a part of role r is what is meant by other, which may be Artefact or Inspected.
func (r Role) Is(other Role) bool {
	switch other {
	case Artefact:
		return r == Firmware || r == Package
	case Inspected:
		return r == Firmware || r == Package || r == Endpoint
	}
	return r == other
}

// Protocol is what a link carries.
type Protocol string

// The protocols. MQTTS is MQTT over TLS: a part on such a link speaks both MQTT and TLS. WS and WSS are MQTT over WebSocket.
const (
	MQTT  Protocol = "mqtt"
	MQTTS Protocol = "mqtts"
	TLS   Protocol = "tls" // in Needs: any link over TLS
	HTTP  Protocol = "http"
	HTTPS Protocol = "https"
	WS    Protocol = "ws"
	WSS   Protocol = "wss"
	COAP  Protocol = "coap"
	COAPS Protocol = "coaps" // CoAP over DTLS
	DTLS  Protocol = "dtls"  // in Needs: any link over DTLS
)

// Capability is one thing that a driver can do to its part, or that a part shows.
type Capability string

// The capabilities of this version. A trigger or query of the maker's own is "trigger.NAME" or "query.NAME".
const (
	PowerCut    Capability = "power.cut"    // takes the power away without warning, and gives it back
	Restart     Capability = "restart"      // an ordered stop and a start
	ConsoleRead Capability = "console.read" // lines that the part prints
	Rejoin      Capability = "rejoin"       // the part can be made to start anew without a person
)

// Part is one part of the product, real unless its driver is "stand-in".
type Part struct {
	Name     string            `yaml:"-"`                  // the key under which the part is written
	Role     Role              `yaml:"role"`               // what it is to the product
	Driver   string            `yaml:"driver"`             // process, external, human, exec, file, endpoint, reference, stand-in
	Command  []string          `yaml:"command,omitempty"`  // process: the program and its arguments, with placeholders in braces
	Env      map[string]string `yaml:"env,omitempty"`      // process: environment variables, with placeholders
	Control  []string          `yaml:"control,omitempty"`  // exec, and optional beside the others: the program that speaks JSON lines
	Can      []Capability      `yaml:"can,omitempty"`      // what the control program offers beyond what the driver does by itself
	Listen   string            `yaml:"listen,omitempty"`   // external, human: host:port at which the world waits for this device
	Address  string            `yaml:"address,omitempty"`  // external cloud: host:port of the endpoint under test; endpoint: host:port, or with tls://, https://, wss:// or mqtts:// before it
	Path     string            `yaml:"path,omitempty"`     // file: where the artefact is, from this folder on, with placeholders for what its variants set
	Previous string            `yaml:"previous,omitempty"` // file: the artefact that users have now, to be compared with; placeholders as in path
	SBOM     string            `yaml:"sbom,omitempty"`     // firmware, package: bill of materials that the maker gives, CycloneDX or SPDX in JSON; placeholders as in path
	VEX      []string          `yaml:"vex,omitempty"`      // firmware, package: what the maker states on vulnerabilities, CycloneDX, OpenVEX or CSAF in JSON; placeholders as in path
	Data     string            `yaml:"data,omitempty"`     // firmware, package: folder with newer lists of vulnerabilities and of ends of life
	Network  string            `yaml:"network,omitempty"`  // process: host (default) is that of this machine, world a network of its own in the in-process internet
	Ready    string            `yaml:"ready,omitempty"`    // process: a console pattern (RE2) that says that it is up
	API      string            `yaml:"api,omitempty"`      // cloud: URL of its HTTP API, before the paths of a fleet's calls; default for one that is started here: http://127.0.0.1:{api.port}
	Host     string            `yaml:"hostname,omitempty"` // the host name that the device is configured with; default localhost, and broker.example in a world
	CA       string            `yaml:"ca,omitempty"`       // external cloud: PEM file that its certificate is verified with
	MQTT     *MQTTPart         `yaml:"mqtt,omitempty"`     // a device's or cloud's use of MQTT
	HTTP     *HTTPPart         `yaml:"http,omitempty"`     // a device's use of HTTP
	Local    *Local            `yaml:"local,omitempty"`    // what a device does in its home network
	CoAP     *CoAPPart         `yaml:"coap,omitempty"`     // a device's use of CoAP
	Clients  []Client          `yaml:"clients,omitempty"`  // a cloud's test identities; two or more for the checks between users
}

// The networks of a process.
const (
	OnHost  = "host"
	InWorld = "world"
)

// MQTTPart is how a device uses MQTT: what Shakedown must know to see it work.
type MQTTPart struct {
	Version   string    `yaml:"version,omitempty"`   // "3.1.1" or "5.0"; default: as seen
	Telemetry string    `yaml:"telemetry,omitempty"` // topic filter of its measurements
	Sequence  string    `yaml:"sequence,omitempty"`  // CEL over a telemetry payload: its running number
	Status    string    `yaml:"status,omitempty"`    // topic of the birth and will message
	Expiring  *Expiring `yaml:"expiring,omitempty"`  // a command that holds until a time only
	Command   *Command  `yaml:"command,omitempty"`   // a command that can be sent to it
}

// Local is what a device does in its home network.
type Local struct {
	Service  string   `yaml:"service,omitempty"`  // the DNS-SD service by which apps find it, such as _http._tcp
	Fallback string   `yaml:"fallback,omitempty"` // MQTT topic on which it tells its address in the home network; {id} is the device id
	Open     []string `yaml:"open,omitempty"`     // ports that are open there on purpose, as in tcp/443; those of upnp are as well
	DHCP     bool     `yaml:"dhcp,omitempty"`     // a process in the world gets its address itself; without it it is given a static one
	UPnP     *UPnP    `yaml:"upnp,omitempty"`     // that it may open ports of the router; without it none may be open
}

// UPnP is how a device is made to open ports of its router. On and Off are payloads of its command, with the same placeholders and the
// same effect; without them it opens ports by itself.
type UPnP struct {
	Ports []int  `yaml:"ports"` // its own ports that may be reached from the internet
	On    string `yaml:"on,omitempty"`
	Off   string `yaml:"off,omitempty"`
}

// CoAPPart is how a device uses CoAP: which resources of the server it uses, and which it has itself. Paths begin with a slash and may
// hold {id}.
type CoAPPart struct {
	Telemetry string    `yaml:"telemetry,omitempty"` // path to which it posts or puts its measurements, as JSON where documents show in them
	Sequence  string    `yaml:"sequence,omitempty"`  // CEL over a telemetry payload: its running number
	Config    *Document `yaml:"config,omitempty"`    // what it GETs after its start
	Settings  *Document `yaml:"settings,omitempty"`  // what it observes
	Action    *Document `yaml:"action,omitempty"`    // a resource of its own to which a POST makes it do something that it counts
	Resource  string    `yaml:"resource,omitempty"`  // path of a resource of its own that answers GET
	Port      int       `yaml:"port,omitempty"`      // at which it answers in its own network, without DTLS: /.well-known/core
	Identity  string    `yaml:"identity,omitempty"`  // of its pre-shared key; default: the device id
	Key       string    `yaml:"key,omitempty"`       // its pre-shared key, in hex; default: one that is made for the run
}

// Document is a body that the device is given, and how it shows which one it has. In Payload {n} is a number and {token} a word that
// differ from body to body, and {fill} is text that makes it as long as a check wants.
type Document struct {
	Path    string `yaml:"path"`
	Payload string `yaml:"payload,omitempty"`
	Shows   string `yaml:"shows"` // CEL over a telemetry payload: the number, the word, or the CRC-32 of the whole body in 8 hex digits; of action: how often it was done
}

// Command is a command that the device takes, and how it shows that the command took effect. In Topic, Payload and the patterns
// {id} is the device id, {n} a number and {token} a word that differ from command to command.
type Command struct {
	Topic   string `yaml:"topic"`
	Payload string `yaml:"payload"`
	QoS     int    `yaml:"qos,omitempty"` // of the command, default 1
	Effect  Effect `yaml:"effect"`
}

// Expiring is a payload of the command that says until when it holds, and for how long that usually is.
type Expiring struct {
	Payload string   `yaml:"payload"` // {until} is the end in Unix seconds; otherwise as in the command
	Lasts   Duration `yaml:"lasts"`
}

// Effect is the proof that a command was carried out: a console pattern, or a message with a CEL condition over its payload.
type Effect struct {
	Console string `yaml:"console,omitempty"` // RE2
	Topic   string `yaml:"topic,omitempty"`   // topic filter
	When    string `yaml:"when,omitempty"`    // CEL over payload (decoded JSON), text, topic, n, token, id
	Repeats bool   `yaml:"repeats,omitempty"` // may show more than once per execution, so that twice cannot be told from once
}

// HTTPPart is how a device uses HTTP: a document that it fetches by GET and acts on, and what else of its API Shakedown plays. In paths
// and payloads {id} is the device id, {n} a number and {token} a word that differ from document to document.
type HTTPPart struct {
	Document string    `yaml:"document"`           // path of the document
	Type     string    `yaml:"type,omitempty"`     // its media type, default application/json
	Payload  string    `yaml:"payload"`            // a document that takes effect
	Every    Duration  `yaml:"every"`              // the longest pause between two fetches when all is well
	Effect   Effect    `yaml:"effect"`             // how it shows that a document took effect
	Token    string    `yaml:"token,omitempty"`    // path at which it gets another bearer token by POST
	Proxy    bool      `yaml:"proxy,omitempty"`    // it takes the HTTP proxy {proxy.url}, where that is not empty
	Download *Download `yaml:"download,omitempty"` // a larger file that it fetches
}

// Download is a file that a device fetches over HTTP, such as a language pack. Beside the other words {size} is its size in bytes and
// {sha256} its SHA-256 in hex.
type Download struct {
	Path    string `yaml:"path"`              // where it is
	Size    int    `yaml:"size"`              // bytes of one that the device takes
	Payload string `yaml:"payload,omitempty"` // the document that makes the device fetch it; none: it does so by itself
	Effect  Effect `yaml:"effect"`            // how it shows that the whole file is there and right
}

// Client is an identity with which Shakedown connects to a real cloud.
type Client struct {
	ID        string   `yaml:"id"`
	User      string   `yaml:"user,omitempty"`
	Pass      string   `yaml:"password,omitempty"`
	Cert      string   `yaml:"cert,omitempty"`      // PEM file
	Key       string   `yaml:"key,omitempty"`       // PEM file
	Publish   []string `yaml:"publish,omitempty"`   // filters of what it may write, with {id} for its id
	Subscribe []string `yaml:"subscribe,omitempty"` // filters of what it may read
}

// Link joins two parts.
type Link struct {
	Name     string   `yaml:"name"`
	From     string   `yaml:"from"` // the part that connects
	To       string   `yaml:"to"`   // the part that is connected to
	Protocol Protocol `yaml:"protocol"`
}

// Variant is one build of the product in users' hands.
type Variant struct {
	Name     string            `yaml:"name"`
	Hardware string            `yaml:"hardware,omitempty"`
	Firmware string            `yaml:"firmware,omitempty"`
	Share    float64           `yaml:"share,percent"` // of users, 0..1; written as a percentage or a fraction
	Set      map[string]string `yaml:"set,omitempty"` // placeholders of this variant, {variant.NAME} in commands
}

// Declared holds what the maker promises. A zero value is not declared; checks that need it are not run, and say so.
type Declared struct {
	Speed         float64  `yaml:"timers_speed,omitempty"`    // this build's timers run so many times faster than in the field
	ConnectWithin Duration `yaml:"connect_within,omitempty"`  // from power-on to an accepted connection
	ReconnectCap  Duration `yaml:"reconnect_cap,omitempty"`   // the longest pause between two attempts
	KeepAlive     Duration `yaml:"keep_alive,omitempty"`      // the MQTT keep-alive
	TelemetryGap  Duration `yaml:"telemetry_every,omitempty"` // the usual pause between two measurements
	OfflineBuffer int      `yaml:"offline_buffer,omitempty"`  // measurements kept while there is no connection
	OfflineKeeps  string   `yaml:"offline_keeps,omitempty"`   // which ones when it overflows: "newest" or "oldest"
	MaxCommand    int      `yaml:"max_command,omitempty"`     // bytes of the largest command payload that works
	PublishBudget int      `yaml:"publish_budget,omitempty"`  // messages a minute in normal use
	Destinations  []string `yaml:"destinations,omitempty"`    // names and addresses that it speaks to beside the hosts of its links; *.example.com is any name below
	TrafficBudget int      `yaml:"traffic_budget,omitempty"`  // bytes a day that it sends and receives when nobody uses it
	Sleeps        bool     `yaml:"sleeps,omitempty"`          // commands can come while it is away
	SupportUntil  Date     `yaml:"support_until,omitempty"`   // end of the support period
}

// Network is a network profile in which the device is promised to work, and how well.
type Network struct {
	Profile       string   `yaml:"profile"`                  // name of a network profile, such as "lte-m"
	ConnectWithin Duration `yaml:"connect_within,omitempty"` // from power-on to an accepted connection there; default: as declared for any network
	CommandWithin Duration `yaml:"command_within,omitempty"` // from a command to its effect; default 30 s
	Success       float64  `yaml:"success,percent"`          // share of the attempts that keep both, 0..1, such as "90%"
}

// Deviation is a finding that the maker accepts.
type Deviation struct {
	Check   string `yaml:"check"`             // check id
	Variant string `yaml:"variant,omitempty"` // default: all
	Reason  string `yaml:"reason"`
	Until   Date   `yaml:"until"` // from this day on the finding counts again
}

// Exclusion leaves a risk out of the launch decision.
type Exclusion struct {
	Risk   string `yaml:"risk"`
	Reason string `yaml:"reason"`
}

// Statement is what the maker states on a clause of a regulation or baseline.
type Statement struct {
	Requirement string `yaml:"requirement"` // id in the requirement register, such as "EN303645:5.2-1"
	Text        string `yaml:"text"`        // what is so, and where it can be seen
}

// Date is a day, written YYYY-MM-DD; the zero Date is none.
type Date struct{ time.Time }

// Duration is a span of device time, written as in "90s" or "2h30m".
type Duration time.Duration
