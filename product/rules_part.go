package product

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (l *loader) partRules() {
	p := &l.product
	if l.has("parts") && len(p.Parts) == 0 {
		l.fault("parts", "the product has no parts", "describe at least the device under test")
	}
	if len(p.Parts) > 0 && len(p.Real()) == 0 {
		l.fault("parts", "every part is a stand-in: there is nothing to test", "give the part under test another driver")
	}
	linked := map[string]bool{}
	for _, link := range p.Links {
		linked[link.From], linked[link.To] = true, true
	}
	for i := range p.Parts {
		part := &p.Parts[i]
		at := join("parts", strconv.Itoa(i))
		if name, rest := placeholderName(part.Name); name == "" || rest != "" {
			l.fault(at, fmt.Sprintf("%s cannot be the name of a part", short(part.Name)), "use letters, digits, dots, dashes and underscores, beginning with a letter")
		}
		oneOf(l, at+"/role", "role", part.Role, roles)
		oneOf(l, at+"/driver", "driver", part.Driver, append(slices.Clone(l.known.Drivers), StandIn))
		if part.Role == Device && part.Real() && !linked[part.Name] {
			l.fault(at, fmt.Sprintf("device %s has no link", short(part.Name)), "say under links: what it connects to, and with which protocol")
		}
		l.driverRules(part, at)
		l.networkRules(part, at)
		l.commandRules(part, at)
		l.addressRules(part, at)
		l.capabilityRules(part, at)
		l.mqttRules(part.MQTT, at+"/mqtt")
		l.httpRules(part, at+"/http")
		l.localRules(part, at+"/local")
		l.coapRules(part.CoAP, at+"/coap")
		l.clientRules(part.Clients, at+"/clients")
	}
}

// driverRules holds the keys of a part against its driver: what the driver needs, and what it would silently ignore.
func (l *loader) driverRules(part *Part, at string) {
	attached := part.Driver == "external" || part.Driver == "human"
	switch {
	case part.Driver == "process" && (len(part.Command) == 0 || part.Command[0] == "") && !l.refused[at+"/command"]:
		l.fault(at, fmt.Sprintf("part %s is a process without a command", part.Name), `add command: [program, argument, …]`)
	case part.Driver == "exec" && (len(part.Control) == 0 || part.Control[0] == "") && !l.refused[at+"/control"]:
		l.fault(at, fmt.Sprintf("part %s has driver exec and no control program", part.Name), `add control: [program, argument, …]`)
	case attached && part.Role == Device && part.Listen == "" && !l.refused[at+"/listen"]:
		l.fault(at, fmt.Sprintf("part %s connects from outside, and nothing says where to wait for it", part.Name), `add listen: "host:port", the address that the device is configured with`)
	case part.Driver == "external" && part.Role == Cloud && part.Address == "" && !l.refused[at+"/address"]:
		l.fault(at, fmt.Sprintf("part %s is an external cloud without an address", part.Name), `add address: "host:port"`)
	}
	if part.Driver != StandIn && !slices.Contains(l.known.Drivers, part.Driver) {
		return
	}
	l.artefactRules(part, at)
	for _, key := range []string{"command", "env", "network", "ready"} {
		if l.has(at+"/"+key) && part.Driver != "process" {
			l.fault(at+"/"+key, fmt.Sprintf("%s is for driver process; this part has driver %s", key, part.Driver), "delete the key or change the driver")
		}
	}
}

// artefactRules holds what is said of a file against the driver that reads it.
func (l *loader) artefactRules(part *Part, at string) {
	switch reads := part.Driver == "file"; {
	case part.Driver == "endpoint" && part.Role != Endpoint:
		l.fault(at+"/driver", fmt.Sprintf("driver endpoint asks a server for its certificates, and %s is a %s", short(part.Name), part.Role), "give it the role endpoint, or another driver")
	case part.Driver == "endpoint" && part.Address == "" && !l.refused[at+"/address"]:
		l.fault(at, fmt.Sprintf("part %s is an endpoint, and nothing says where it is", part.Name), "add address: https://api.example.com")
	case part.Role == Endpoint && part.Driver != "endpoint" && part.Driver != StandIn && part.Driver != "reference":
		l.fault(at+"/driver", fmt.Sprintf("an endpoint is asked over the network; driver %s does not do that", part.Driver), "use driver: endpoint, with address: https://api.example.com")
	case reads && !part.Role.Artefact():
		l.fault(at+"/driver", fmt.Sprintf("driver file reads artefacts, and %s is a %s", short(part.Name), part.Role), "give it the role firmware or package, or another driver")
	case reads && part.Path == "" && !l.refused[at+"/path"]:
		l.fault(at, fmt.Sprintf("part %s is a file, and nothing says where it is", part.Name), "add path: image.bin")
	case !reads && part.Path != "":
		l.fault(at+"/path", fmt.Sprintf("path is for driver file; this part has driver %s", part.Driver), "delete the key or change the driver")
	case !reads && part.Role.Artefact() && part.Role != Endpoint && part.Driver != StandIn && part.Driver != "reference":
		l.fault(at+"/driver", fmt.Sprintf("a %s is a file; driver %s runs things", part.Role, part.Driver), "use driver: file, with path: image.bin")
	}
	for _, key := range []string{"previous", "sbom", "vex", "data"} {
		if l.has(at+"/"+key) && !part.Role.Is(Artefact) {
			l.fault(at+"/"+key, fmt.Sprintf("%s is for firmware images and app packages, and %s is a %s", key, short(part.Name), part.Role), "write it at the part with the role firmware or package")
		}
	}
	values := l.placeholders()
	for _, name := range Placeholders {
		delete(values, name)
	}
	for _, name := range artefactPlaceholders {
		values[name] = ""
	}
	for key, text := range map[string]string{"path": part.Path, "previous": part.Previous, "sbom": part.SBOM, "data": part.Data} {
		l.expandable(at+"/"+key, text, values)
	}
	for i, text := range part.VEX {
		l.expandable(join(at+"/vex", strconv.Itoa(i)), text, values)
	}
}

// artefactPlaceholders are what may stand in braces in a path, beside what variants set.
var artefactPlaceholders = []string{"variant.name", "variant.hardware", "variant.firmware"}

// networkRules holds what a part says of its network against what it is.
func (l *loader) networkRules(part *Part, at string) {
	if part.Network == "" {
		return
	}
	oneOf(l, at+"/network", "network", part.Network, []string{OnHost, InWorld})
	if part.Network != InWorld {
		return
	}
	if part.Role != Device && part.Role != Gateway {
		l.fault(at+"/network", fmt.Sprintf("%s %s cannot be in a network of its own: Shakedown connects to it", part.Role, part.Name), "only devices and gateways can; delete the key")
	}
	if part.Host == "localhost" {
		l.fault(at+"/hostname", "localhost is the device itself in a network of its own", "give it the name under which it looks for its cloud, such as broker.example")
	}
}

func (l *loader) commandRules(part *Part, at string) {
	values := l.placeholders()
	for i, word := range part.Command {
		l.expandable(join(at+"/command", strconv.Itoa(i)), word, values)
	}
	for _, name := range slices.Sorted(maps.Keys(part.Env)) {
		l.expandable(at+"/env/"+name, part.Env[name], values)
		if name == "" || strings.ContainsAny(name, "=\x00") {
			l.fault(at+"/env/"+name, fmt.Sprintf("%s cannot be an environment variable", short(name)), "")
		}
	}
	l.pattern(at+"/ready", part.Ready)
}

// placeholders is every name that may stand in braces. What only some variants set is not among them: a command with it could
// not be run for the others.
func (l *loader) placeholders() map[string]string {
	values := map[string]string{}
	for _, name := range Placeholders {
		values[name] = ""
	}
	for i, v := range l.product.Variants {
		for name := range v.Set {
			everywhere := i == 0
			for _, other := range l.product.Variants[1:] {
				_, ok := other.Set[name]
				everywhere = everywhere && ok
			}
			if everywhere {
				values["variant."+name] = ""
			}
		}
	}
	return values
}

func (l *loader) expandable(path, text string, values map[string]string) {
	var bad *placeholderError
	_, err := Expand(text, values)
	if !errors.As(err, &bad) {
		return
	}
	hint := bad.hint()
	if strings.HasPrefix(bad.name, "variant.") && !bad.unclosed {
		hint = "every variant needs " + strings.TrimPrefix(bad.name, "variant.") + " under set:"
	}
	l.faultWithin(path, "{"+bad.name, bad.Error(), hint)
}

func (l *loader) pattern(path, text string) {
	if _, err := regexp.Compile(text); err != nil {
		reason := err.Error()
		var syntax interface{ Unwrap() error }
		if errors.As(err, &syntax) {
			reason = syntax.Unwrap().Error()
		}
		l.fault(path, "not a pattern: "+strings.TrimPrefix(reason, "error parsing regexp: "), `patterns are RE2; a backslash before a sign takes it as it is`)
	}
}

func (l *loader) addressRules(part *Part, at string) {
	for key, text := range map[string]string{"listen": part.Listen, "address": part.Address} {
		if text == "" {
			continue
		}
		if part.Role == Endpoint {
			if _, _, err := ParseEndpoint(text); err != nil {
				l.fault(at+"/"+key, err.Error(), `such as "broker.example.com:8883" or "https://api.example.com"`)
			}
			continue
		}
		_, port, err := net.SplitHostPort(text)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
			l.fault(at+"/"+key, fmt.Sprintf("%s is not host:port", short(text)), `such as "192.168.1.20:8883"`)
		}
	}
	if part.API == "" {
		return
	}
	switch u, err := url.Parse(part.API); {
	case part.Role != Cloud:
		l.fault(at+"/api", fmt.Sprintf("api is for the cloud, and %s is a %s", short(part.Name), part.Role), "write it at the part with the role cloud")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		l.fault(at+"/api", fmt.Sprintf("%s is not the URL of an API", short(part.API)), "such as https://api.example.com, without a user, a query or a fragment")
	}
}

func (l *loader) capabilityRules(part *Part, at string) {
	for i, c := range part.Can {
		own := strings.TrimPrefix(strings.TrimPrefix(string(c), "trigger."), "query.")
		if own != string(c) && own != "" {
			continue
		}
		l.capability(join(at+"/can", strconv.Itoa(i)), c)
	}
	if len(part.Can) > 0 && len(part.Control) == 0 {
		l.fault(at+"/can", "can says what the control program offers, and there is none", "add control: [program, argument, …], or delete can")
	}
}

func (l *loader) capability(path string, c Capability) {
	if c == "" || slices.Contains(capabilities, c) {
		return
	}
	hint := DidYouMean(string(c), texts(capabilities))
	if nearest(string(c), texts(capabilities)) == "" {
		hint += ", or trigger.NAME and query.NAME for what the control program does beyond these"
	}
	l.fault(path, "unknown capability "+short(string(c)), hint)
}
