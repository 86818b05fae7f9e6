package product

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	tlsVersions = []string{"1.2", "1.3"}
	paces       = []string{"fixed", "poisson"}
	jitters     = []string{"full", "equal", "none"}
	encodings   = []string{"json", "cbor", "senml", "senml-cbor", "bytes"}
	methods     = []string{"POST", "GET", "PUT", "PATCH", "DELETE"}
)

// What a fleet may be at most.
const (
	maxDevices  = 10_000_000
	maxChildren = 10_000
	maxWindow   = 65_535
	maxBuffer   = 100_000
	maxRate     = 1_000_000
	maxPosts    = 64 // telemetry, commands, subscriptions or calls of a class
	maxPayload  = 256 << 10
	hoursOfDay  = 24
	maxFactor   = 1000.0
	maxLength   = 30 * 24 * time.Hour
)

// fleetRules holds a fleet against what the types alone cannot say. The path is that of the fleet in its file.
func (l *loader) fleetRules(f *Fleet, at string) {
	l.within(join(at, "devices"), f.Devices, 1, maxDevices, "devices")
	devices := f.Devices
	orElse(&devices, 1000)
	if l.within(join(at, "tenants"), f.Tenants, 1, maxDevices, "tenants") && f.Tenants > devices {
		l.fault(join(at, "tenants"), fmt.Sprintf("%d tenants of %d devices: some would have none", f.Tenants, devices), "")
	}
	if path := join(at, "connect_rate"); l.has(path) && (f.Connects <= 0 || f.Connects > maxRate) {
		l.fault(path, fmt.Sprintf("%v connections a second", f.Connects), "write a number above 0 and up to 1000000")
	}
	oneOf(l, join(at, "shape"), "shape", f.Shape, shapeNames())
	if path, length := join(at, "for"), time.Duration(f.For); l.has(path) && (length < time.Second || length > maxLength) {
		l.fault(path, fmt.Sprintf("a run of %v", length), "write a span of time from 1s to 720h")
	}
	if path := join(at, "path"); f.Path != "" && !strings.HasPrefix(f.Path, "/") {
		l.fault(path, fmt.Sprintf("a path without its slash: %s", short(f.Path)), "write /"+f.Path)
	}
	for i, text := range f.Limits {
		_, err := ParseLimit(text)
		l.reported(join(join(at, "limits"), strconv.Itoa(i)), err)
	}
	seen := map[string]bool{}
	for i, text := range f.Sources {
		path := join(join(at, "sources"), strconv.Itoa(i))
		if _, err := netip.ParseAddr(text); err != nil && l.has(path) {
			l.fault(path, fmt.Sprintf("%s is not an address of this machine", short(text)), `such as "192.168.1.20"; names and networks are not read`)
		}
		if seen[text] {
			l.fault(path, fmt.Sprintf("%s stands here twice", short(text)), "")
		}
		seen[text] = true
	}
	if f.Operator != nil {
		l.clientRule(*f.Operator, join(at, "operator"))
	}
	l.classRules(f, join(at, "classes"))
}

// reported notes the error of another package: its first line, and its hint.
func (l *loader) reported(path string, err error) {
	if err == nil || !l.has(path) {
		return
	}
	text, hint, _ := strings.Cut(err.Error(), "\nhint: ")
	l.fault(path, text, hint)
}

// within notes a number that is set and not between the bounds. It says whether it is set and right.
func (l *loader) within(path string, n, low, high int, what string) bool {
	if !l.has(path) {
		return false
	}
	if n < low || n > high {
		l.fault(path, fmt.Sprintf("%d %s", n, what), fmt.Sprintf("write a number from %d to %d", low, high))
		return false
	}
	return true
}

func (l *loader) classRules(f *Fleet, at string) {
	if l.has(at) && len(f.Classes) == 0 {
		l.fault(at, "the fleet has no classes", "describe at least one sort of devices")
	}
	sum, complete := 0.0, true
	for i := range f.Classes {
		c := &f.Classes[i]
		at := join(at, strconv.Itoa(i))
		if name, rest := placeholderName(c.Name); name == "" || rest != "" {
			l.fault(at, fmt.Sprintf("%s cannot be the name of a class", short(c.Name)), "use letters, digits, dots, dashes and underscores, beginning with a letter")
		}
		share := at + "/share"
		switch {
		case l.refused[share]:
			complete = false
		case !l.has(share):
			if len(f.Classes) > 1 && l.has(at) {
				complete = false
				l.fault(at, fmt.Sprintf("class %s has no share of the fleet", c.Name), "add share: 50 %")
			}
		case c.Share == 0 && len(f.Classes) > 1 && len(c.Provision) > 0: // its devices are only provisioned
		case c.Share <= 0 || c.Share > 1:
			complete = false
			hint := "write a percentage above 0 % and up to 100 %"
			if c.Share == 0 {
				hint += "; 0 % is for a class beside others that is provisioned"
			}
			l.fault(share, fmt.Sprintf("a share of %.4g %%", c.Share*100), hint)
		case len(f.Classes) == 1 && math.Abs(c.Share-1) > shareTolerance:
			l.fault(share, fmt.Sprintf("the only class has %.4g %% of the fleet", c.Share*100), "delete the key, or describe the rest as a class of its own")
		}
		sum += c.Share
		l.classRule(c, at)
	}
	if complete && len(f.Classes) > 1 && math.Abs(sum-1) > shareTolerance {
		l.fault(at, fmt.Sprintf("the shares add up to %.4g %%, not 100 %%", sum*100), "every device has exactly one class")
	}
}

func (l *loader) classRule(c *Class, at string) {
	oneOf(l, at+"/transport", "transport", c.Transport, linkProtocols)
	oneOf(l, at+"/version", "version of MQTT", c.Version, mqttVersions)
	l.transportRules(c, at)
	l.sessionRules(c, at)
	w := l.givenWords(c, at)
	l.identityRules(c, at+"/identity", w)
	if c.Will != nil {
		l.postRules(c, c.Will, at+"/will", w.of(slices.DeleteFunc(slices.Clone(messageWords), func(s string) bool { return s == "stamp" || s == "child" })), w)
	}
	for key, n := range map[string]int{"telemetry": len(c.Telemetry), "subscribe": len(c.Subscribe), "commands": len(c.Commands), "provision": len(c.Provision), "update": len(c.Update)} {
		if n > maxPosts {
			l.fault(at+"/"+key, fmt.Sprintf("%d items of %s; at most %d are read", n, key, maxPosts), "describe what differs in several classes")
		}
	}
	for i := range c.Telemetry {
		l.telemetryRules(c, &c.Telemetry[i], join(at+"/telemetry", strconv.Itoa(i)), w)
	}
	for i, s := range c.Subscribe {
		at := join(at+"/subscribe", strconv.Itoa(i))
		l.words(at+"/topic", s.Topic, w.of(deviceWords), w)
		l.topicForm(at+"/topic", s.Topic, true)
		l.qos(at+"/qos", s.QoS)
	}
	for i := range c.Commands {
		a, at := &c.Commands[i], join(at+"/commands", strconv.Itoa(i))
		l.postRules(c, &a.Post, at, w.of(messageWords), w)
		if a.Answer != nil {
			l.postRules(c, a.Answer, at+"/answer", w.of(messageWords), w)
		}
	}
	l.within(at+"/buffer", c.Buffer, 0, maxBuffer, "measurements kept")
	l.within(at+"/window", c.Window, 1, maxWindow, "messages in flight")
	l.within(at+"/children", c.Children, 1, maxChildren, "devices behind a hub")
	l.backoffRules(c.Backoff, at+"/backoff")
}

// transportRules is about keys that say nothing for how the class connects.
func (l *loader) transportRules(c *Class, at string) {
	var only map[string]string
	mqtt := slices.Contains([]Protocol{MQTT, MQTTS, WS, WSS}, c.Transport)
	secure := slices.Contains([]Protocol{MQTTS, WSS, HTTPS}, c.Transport)
	switch {
	case c.Transport == "" || !slices.Contains(linkProtocols, c.Transport):
		return
	case mqtt:
		only = map[string]string{"identity/token": "of HTTP"}
	default:
		only = map[string]string{
			"version": "of MQTT", "keep_alive": "of MQTT", "persist": "of MQTT", "session_expiry": "of MQTT", "will": "of MQTT", "subscribe": "of MQTT",
			"commands": "of MQTT", "window": "of MQTT",
		}
	}
	if !secure {
		only["tls"] = "of TLS"
	}
	if c.Transport != COAPS {
		only["identity/psk"] = "of DTLS"
	}
	for key, of := range only {
		if l.has(at + "/" + key) {
			l.fault(at+"/"+key, fmt.Sprintf("%s is %s, and the transport of the class is %s", lastOf(key), of, c.Transport), "delete the key, or change the transport")
		}
	}
}

func (l *loader) sessionRules(c *Class, at string) {
	if c.TLS != nil {
		oneOf(l, at+"/tls/version", "version of TLS", c.TLS.Version, tlsVersions)
	}
	keepAlive, expiry := time.Duration(c.KeepAlive), time.Duration(c.Expiry)
	if l.has(at+"/keep_alive") && (keepAlive%time.Second != 0 || keepAlive > 65535*time.Second) {
		l.fault(at+"/keep_alive", fmt.Sprintf("MQTT has no keep-alive of %v", keepAlive), "write whole seconds, at most 65535s")
	}
	if path := at + "/session_expiry"; l.has(path) {
		switch {
		case c.Version != "5.0":
			l.fault(path, "session_expiry is of MQTT 5.0, and the class speaks 3.1.1", `add version: "5.0"`)
		case !c.Persist:
			l.fault(path, "a session that ends with its connection cannot expire later", "add persist: true")
		case expiry%time.Second != 0 || expiry > math.MaxUint32*time.Second:
			l.fault(path, fmt.Sprintf("MQTT has no session expiry of %v", expiry), "write whole seconds")
		}
	}
}

func (l *loader) backoffRules(b *Backoff, at string) {
	if b == nil {
		return
	}
	oneOf(l, at+"/jitter", "jitter", b.Jitter, jitters)
	if l.has(at+"/factor") && (b.Factor < 1 || b.Factor > 100) {
		l.fault(at+"/factor", fmt.Sprintf("a factor of %v", b.Factor), "write a number from 1, for a fixed pause, to 100")
	}
	if l.has(at+"/cap") && l.has(at+"/first") && b.Cap < b.First {
		l.fault(at+"/cap", fmt.Sprintf("the longest pause, %v, is shorter than the first, %v", b.Cap, b.First), "")
	}
}

func (l *loader) telemetryRules(c *Class, t *Telemetry, at string, w vocabulary) {
	l.postRules(c, &t.Post, at, w.of(messageWords), w)
	oneOf(l, at+"/pace", "pace", t.Pace, paces)
	if !l.has(at + "/day") {
		return
	}
	total := 0.0
	for i, x := range t.Day {
		if x < 0 || x > maxFactor {
			l.fault(join(at+"/day", strconv.Itoa(i)), fmt.Sprintf("a factor of %v", x), "write a number from 0 to 1000")
		}
		total += x
	}
	switch {
	case len(t.Day) != hoursOfDay:
		l.fault(at+"/day", fmt.Sprintf("a day of %d factors", len(t.Day)), "write 24, one for each hour")
	case total == 0:
		l.fault(at+"/day", "a day on which nothing is sent", "write a factor above 0 for an hour at least")
	}
}

func (l *loader) qos(path string, qos int) {
	if qos < 0 || qos > 2 {
		l.fault(path, fmt.Sprintf("qos %d does not exist", qos), "write 0, 1 or 2")
	}
}
