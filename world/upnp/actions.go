package upnp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/link/internet"
)

// Call is one action, and what became of it.
type Call struct {
	Action      string            `json:"action"`
	From        netip.AddrPort    `json:"from"`
	Protocol    internet.Protocol `json:"protocol,omitempty"`
	External    uint16            `json:"external,omitempty"`
	Client      netip.AddrPort    `json:"client,omitzero"` // inside
	Remote      string            `json:"remote,omitempty"`
	Lease       time.Duration     `json:"lease,omitempty"`
	Description string            `json:"description,omitempty"`
	Index       int               `json:"index,omitempty"`
	Error       int               `json:"error,omitempty"` // the UPnP error of the answer
	Given       uint16            `json:"given,omitempty"` // the outer port that was really opened

	bad bool // an argument is no number, address or protocol
}

// knows are the arguments that each action must have.
var knows = map[string]string{
	"AddPortMapping":              "NewExternalPort NewProtocol NewInternalPort NewInternalClient NewLeaseDuration",
	"AddAnyPortMapping":           "NewExternalPort NewProtocol NewInternalPort NewInternalClient NewLeaseDuration",
	"DeletePortMapping":           "NewExternalPort NewProtocol",
	"GetSpecificPortMappingEntry": "NewExternalPort NewProtocol",
	"GetGenericPortMappingEntry":  "NewPortMappingIndex",
	"GetExternalIPAddress":        "",
	"GetStatusInfo":               "",
	"GetConnectionTypeInfo":       "",
}

// newCall reads a request. Arguments that are missing or wrong are answered by perform.
func newCall(body []byte, from string) (*Call, error) {
	action, args, err := ParseAction(body)
	if err != nil {
		return nil, err
	}
	c := &Call{Action: action[:min(len(action), 64)], Remote: args["NewRemoteHost"]}
	c.From, _ = netip.ParseAddrPort(from)
	for _, name := range strings.Fields(knows[action]) {
		_, there := args[name]
		c.bad = c.bad || !there
	}
	number := func(name string, bits int) uint64 {
		text, there := args[name]
		n, err := strconv.ParseUint(text, 10, bits)
		c.bad = c.bad || there && err != nil
		return n
	}
	c.External = uint16(number("NewExternalPort", 16))
	c.Lease = time.Duration(number("NewLeaseDuration", 32)) * time.Second
	c.Index = int(number("NewPortMappingIndex", 16))
	port := uint16(number("NewInternalPort", 16))
	if text, there := args["NewInternalClient"]; there {
		addr, err := netip.ParseAddr(text)
		c.bad = c.bad || err != nil || !addr.Is4()
		c.Client = netip.AddrPortFrom(addr, port)
	}
	switch text, there := args["NewProtocol"]; text {
	case "TCP":
		c.Protocol = internet.TCP
	case "UDP":
		c.Protocol = internet.UDP
	default:
		c.bad = c.bad || there
	}
	c.Description = args["NewPortMappingDescription"]
	c.Description = c.Description[:min(len(c.Description), 128)]
	return c, nil
}

// String is what is asked for, in one line.
func (c *Call) String() string {
	s := c.Action
	if c.External != 0 || c.Client.IsValid() {
		s += fmt.Sprintf(" %s %d", c.Protocol, c.External)
	}
	if c.Client.IsValid() {
		s += fmt.Sprintf(" to %s for %.0f s, %q", c.Client, c.Lease.Seconds(), c.Description)
	}
	return s + " from " + c.From.String()
}

func (c *Call) outcome() string {
	switch {
	case c.Error != 0:
		return fmt.Sprintf("%s: error %d %s", c.Action, c.Error, errorTexts[c.Error])
	case c.Given != 0:
		return fmt.Sprintf("%s: port %d is open", c.Action, c.Given)
	}
	return c.Action + ": done"
}

func (c *Call) snapshot() *Call {
	s := *c
	return &s
}

// perform carries a call out and notes in it what became of it.
func (g *Gateway) perform(c *Call, path string, b Behaviour) []argument {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, known := knows[c.Action]
	switch {
	case !known || path != "/control/connection" || c.Action == "AddAnyPortMapping" && b.Version1:
		c.Error = InvalidAction
	case c.bad:
		c.Error = InvalidArgs
	default:
		return g.known(c, b)
	}
	return nil
}

// known carries an action out whose arguments are in order; g.mu is held.
func (g *Gateway) known(c *Call, b Behaviour) []argument {
	switch c.Action {
	case "AddPortMapping", "AddAnyPortMapping":
		if c.Error = g.mapPort(c, b); c.Error == 0 && c.Action == "AddAnyPortMapping" {
			return []argument{{"NewReservedPort", strconv.Itoa(int(c.Given))}}
		}
	case "DeletePortMapping":
		k := key{c.Protocol, c.External}
		g.open()
		if _, there := g.mappings[k]; !there {
			c.Error = NoSuchEntry
			return nil
		}
		if g.mappings[k].Client.Addr() != c.From.Addr() {
			c.Error = NotAuthorized
			return nil
		}
		g.shut(k)
	case "GetSpecificPortMappingEntry":
		g.open()
		m, there := g.mappings[key{c.Protocol, c.External}]
		if !there {
			c.Error = NoSuchEntry
			return nil
		}
		return g.entry(m)
	case "GetGenericPortMappingEntry":
		all := g.open()
		if c.Index >= len(all) {
			c.Error = NoSuchIndex
			return nil
		}
		m := all[c.Index]
		return append([]argument{{"NewRemoteHost", ""}, {"NewExternalPort", strconv.Itoa(int(m.External))}, {"NewProtocol", m.Protocol.String()}}, g.entry(m)...)
	case "GetExternalIPAddress":
		return []argument{{"NewExternalIPAddress", g.o.Router.WAN().String()}}
	case "GetStatusInfo":
		return []argument{{"NewConnectionStatus", "Connected"}, {"NewLastConnectionError", "ERROR_NONE"}, {"NewUptime", strconv.Itoa(int(g.o.Clock.Passed().Seconds()))}}
	case "GetConnectionTypeInfo":
		return []argument{{"NewConnectionType", "IP_Routed"}, {"NewPossibleConnectionTypes", "IP_Routed"}}
	}
	return nil
}

// entry is how a mapping is shown.
func (g *Gateway) entry(m Mapping) []argument {
	left := m.Lease
	if !m.Until.IsZero() && m.Lease > 0 {
		left = max(m.Until.Sub(g.o.Clock.Now()), time.Second)
	}
	return []argument{
		{"NewInternalPort", strconv.Itoa(int(m.Client.Port()))},
		{"NewInternalClient", m.Client.Addr().String()},
		{"NewEnabled", "1"},
		{"NewPortMappingDescription", m.Description},
		{"NewLeaseDuration", strconv.Itoa(int(left.Seconds()))},
	}
}

// mapPort opens a port, and notes which; g.mu is held. It returns the UPnP error, or 0. A port of another host is a conflict for
// AddPortMapping; AddAnyPortMapping takes the next that is free.
func (g *Gateway) mapPort(c *Call, b Behaviour) int {
	all := g.open()
	port := int(c.External) + b.Shift
	switch {
	case b.Refuse != 0:
		return b.Refuse
	case c.Remote != "":
		return WildcardNotAllowed
	case c.Client.Addr() != c.From.Addr():
		return NotAuthorized // as a gateway in secure mode: nobody opens ports to another
	case c.External == 0 && c.Action == "AddPortMapping":
		return WildcardPort
	case c.Client.Port() == 0 || port > 65535:
		return InvalidArgs
	case b.PermanentOnly && c.Lease != 0:
		return OnlyPermanent
	case len(all) >= maxMappings:
		return NoPortMapsLeft
	}
	for c.Action == "AddAnyPortMapping" {
		m, taken := g.mappings[key{c.Protocol, uint16(port)}]
		if port != 0 && (!taken || m.Client == c.Client) {
			break
		}
		port = port%65535 + 1
		if port < 1024 {
			port = 1024
		}
	}
	k := key{c.Protocol, uint16(port)}
	if m, taken := g.mappings[k]; taken && m.Client.Addr() != c.Client.Addr() {
		return Conflict
	}
	stays, says := b.granted(c.Lease)
	m := Mapping{Protocol: c.Protocol, External: k.external, Client: c.Client, Description: c.Description, Lease: says}
	if stays > 0 {
		m.Until = g.o.Clock.Now().Add(stays)
	}
	g.mappings[k] = m
	g.o.Router.Open(internet.Forward{Protocol: k.protocol, Port: k.external, To: m.Client, Until: m.Until})
	c.Given = k.external
	return 0
}
