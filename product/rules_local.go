package product

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// serviceType is a DNS-SD service without its domain (RFC 6763, section 7).
var serviceType = regexp.MustCompile(`^_[A-Za-z0-9]([A-Za-z0-9-]{0,13}[A-Za-z0-9])?\._(tcp|udp)$`)

func (l *loader) localRules(part *Part, at string) {
	local := part.Local
	if local == nil {
		return
	}
	if local.Service != "" && !serviceType.MatchString(local.Service) {
		l.fault(at+"/service", fmt.Sprintf("%s is not a DNS-SD service", short(local.Service)), "such as _http._tcp: an underscore and at most 15 letters, digits and dashes, then ._tcp or ._udp")
	}
	l.topic(at+"/fallback", local.Fallback, false)
	for i, open := range local.Open {
		proto, number, _ := strings.Cut(open, "/")
		if port, err := strconv.ParseUint(number, 10, 16); err != nil || port == 0 || proto != "tcp" && proto != "udp" {
			l.fault(join(at+"/open", strconv.Itoa(i)), fmt.Sprintf("%s is not a port", short(open)), "write the protocol and a number from 1 to 65535, as in tcp/443 or udp/5683")
		}
	}
	if local.DHCP && part.Network != InWorld {
		l.fault(at+"/dhcp", fmt.Sprintf("dhcp is for a process in a network of its own; %s is in another", part.Name), "add network: world to the part, or delete the key")
	}
	u := local.UPnP
	if u == nil {
		return
	}
	for i, port := range u.Ports {
		if port < 1 || port > 65535 {
			l.fault(join(at+"/upnp/ports", strconv.Itoa(i)), fmt.Sprintf("there is no port %d", port), "write a number from 1 to 65535")
		}
	}
	if (u.On == "") != (u.Off == "") {
		l.fault(at+"/upnp", "on and off belong together", "give both, or none")
	}
	if u.On != "" && (part.MQTT == nil || part.MQTT.Command == nil) {
		l.fault(at+"/upnp", "on and off are payloads of the command, and none is declared", "add command: under mqtt:")
	}
}
