package product

import "slices"

// Fleet is the devices of a load run: what they are, how they connect and what they send. It stands in a fleet file of its own, or under
// fleet: in the product file. In all texts {class} is the name of the class, {n} the number of the device from 0, {n:06} the same with
// leading zeros, {id} its client id, {tenant} the number of its tenant; in payloads also {seq}, {time}, {stamp} and what
// docs/fleet-file.md lists.
type Fleet struct {
	Devices  int      `yaml:"devices,omitempty"`      // how many; default 1000
	Tenants  int      `yaml:"tenants,omitempty"`      // customers over which the devices are spread in turn; default: as many as devices
	Connects float64  `yaml:"connect_rate,omitempty"` // new connections a second while the fleet joins; default a fiftieth of the devices, at least 10, and all within a quarter of the run
	Classes  []Class  `yaml:"classes,named"`          // at least one
	Shape    string   `yaml:"shape,omitempty"`        // how the load goes over time: steady (default), ramp, reconnect-storm, morning-spike, provisioning-storm, firmware-day or flap
	For      Duration `yaml:"for,omitempty"`          // how long it takes; default 1m
	Path     string   `yaml:"path,omitempty"`         // of the endpoint, where it is WebSocket or HTTP
	Limits   []string `yaml:"limits,omitempty"`       // what must hold, such as "connect p99 < 5 s"
	Sources  []string `yaml:"sources,omitempty"`      // addresses of this machine to connect from, in turn; default: of 127.0.0.0/8 for a target there, else the system's choice
	Operator *Client  `yaml:"operator,omitempty"`     // the identity with which Shakedown subscribes to what the fleet sends, and sends commands
}

// Class is devices of one sort.
type Class struct {
	Name      string      `yaml:"-"`                       // the key under which the class is written
	Share     float64     `yaml:"share,percent,omitempty"` // of the fleet, 0..1, written as a percentage or a fraction; a class that stands alone has all; with provision: 0 for devices that only come to be provisioned
	Transport Protocol    `yaml:"transport,omitempty"`     // default: that of the target's URL
	Version   string      `yaml:"version,omitempty"`       // MQTT "3.1.1" (default) or "5.0"
	Identity  Identity    `yaml:"identity,omitempty"`
	KeepAlive Duration    `yaml:"keep_alive,omitempty"`     // whole seconds; default 60s
	Persist   bool        `yaml:"persist,omitempty"`        // the session outlives the connection; default: a clean one each time
	Expiry    Duration    `yaml:"session_expiry,omitempty"` // 5.0, with persist: default 1h
	Will      *Post       `yaml:"will,omitempty"`           // message that the broker sends when it loses the device
	TLS       *ClassTLS   `yaml:"tls,omitempty"`
	Telemetry []Telemetry `yaml:"telemetry,omitempty"` // what its devices send again and again
	Subscribe []Filter    `yaml:"subscribe,omitempty"`
	Commands  []Answered  `yaml:"commands,omitempty"`
	Provision []Call      `yaml:"provision,omitempty"` // HTTP calls before the first connection, in order
	Update    []Call      `yaml:"update,omitempty"`    // HTTP calls with which its devices update themselves, in the shape firmware-day
	Sleep     *Sleep      `yaml:"sleep,omitempty"`     // none: it stays connected
	Backoff   *Backoff    `yaml:"backoff,omitempty"`   // default: 1s, doubling up to 60s, full jitter
	Buffer    int         `yaml:"buffer,omitempty"`    // measurements kept while it is away, oldest dropped first; default 0: they are not taken
	Window    int         `yaml:"window,omitempty"`    // messages of QoS 1 that may be in flight; default 20
	Children  int         `yaml:"children,omitempty"`  // a hub: devices behind it, whose measurements it sends; {child} is their number from 0
}

// Clone is a class whose lists and parts can be changed without changing those of c; the texts of calls stay common.
func (c *Class) Clone() Class {
	own := *c
	own.Telemetry, own.Subscribe, own.Commands = slices.Clone(c.Telemetry), slices.Clone(c.Subscribe), slices.Clone(c.Commands)
	own.Provision, own.Update = slices.Clone(c.Provision), slices.Clone(c.Update)
	own.Will, own.TLS, own.Sleep, own.Backoff = copied(c.Will), copied(c.TLS), copied(c.Sleep), copied(c.Backoff)
	return own
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	own := *p
	return &own
}

// Identity is who a device says that it is. Every text may hold {n} and the columns of the CSV file in braces.
type Identity struct {
	ID       string `yaml:"id,omitempty"` // client id, and name of its certificate; default "{class}-{n}"
	User     string `yaml:"user,omitempty"`
	Password string `yaml:"password,omitempty"`
	Token    string `yaml:"token,omitempty"` // bearer token of HTTP
	Cert     string `yaml:"cert,omitempty"`  // PEM file
	Key      string `yaml:"key,omitempty"`   // PEM file
	CA       string `yaml:"ca,omitempty"`    // PEM file with certificate and key of an authority that signs a certificate for each device; all have one key
	CSV      string `yaml:"csv,omitempty"`   // file with a line of column names and one line for each device of the class
	PSK      string `yaml:"psk,omitempty"`   // DTLS: pre-shared key in hex; the identity is the id
}

// ClassTLS is how devices of a class do TLS.
type ClassTLS struct {
	Version string `yaml:"version,omitempty"` // "1.2" or "1.3"; default: the newest that both speak
	Resume  bool   `yaml:"resume,omitempty"`  // reconnects with a session ticket
}

// Post is one message.
type Post struct {
	Topic    string `yaml:"topic"`              // MQTT topic; path of CoAP and HTTP
	Payload  string `yaml:"payload,omitempty"`  // template; default a JSON object with {id}, {seq}, {time}, {ramp} and {stamp}
	Encoding string `yaml:"encoding,omitempty"` // how the payload is sent; default json where it begins as an object or a list, else bytes
	Size     int    `yaml:"size,omitempty"`     // bytes to fill up to where the payload has {fill}
	QoS      int    `yaml:"qos,omitempty"`      // 0 (default) to 2; CoAP: 0 non-confirmable, 1 confirmable
	Retain   bool   `yaml:"retain,omitempty"`
}

// Telemetry is a message that is sent again and again.
type Telemetry struct {
	Post  `yaml:",inline"`
	Every Duration  `yaml:"every"`          // mean pause
	Pace  string    `yaml:"pace,omitempty"` // "fixed" (default: each device at its own phase) or "poisson"
	Day   []float64 `yaml:"day,omitempty"`  // 24 factors on the rate over the length of the run, as of a day
}

// Filter is one subscription.
type Filter struct {
	Topic string `yaml:"topic"`
	QoS   int    `yaml:"qos,omitempty"` // 0 (default) to 2
}

// Answered is a command that Shakedown, as operator, sends to each device of the class, and the answer that the device gives.
type Answered struct {
	Post   `yaml:",inline"` // the command
	Every  Duration         `yaml:"every"`            // pause between two for one device
	Answer *Post            `yaml:"answer,omitempty"` // {stamp} is that of the command
}

// Call is one HTTP call of a provisioning sequence.
type Call struct {
	URL     string            `yaml:"url"`               // absolute, or a path at the API of the cloud or at a target that is HTTP
	Method  string            `yaml:"method,omitempty"`  // default POST
	Headers map[string]string `yaml:"headers,omitempty"` // from name to value
	Body    string            `yaml:"body,omitempty"`
	Status  int               `yaml:"status,omitempty"` // default: any of 200 to 299
	Take    map[string]string `yaml:"take,omitempty"`   // from name to JSON path such as "credentials.password": {name} can be used afterwards, in the identity too
}

// Sleep is a cycle of being awake and away.
type Sleep struct {
	Awake  Duration `yaml:"awake"`
	Asleep Duration `yaml:"asleep"`
}

// Backoff is how a device waits before it tries again.
type Backoff struct {
	First  Duration `yaml:"first,omitempty"`  // default 1s
	Factor float64  `yaml:"factor,omitempty"` // default 2; 1 is a fixed pause
	Cap    Duration `yaml:"cap,omitempty"`    // default 60s
	Jitter string   `yaml:"jitter,omitempty"` // "full" (default), "equal" or "none"
}
