package upnp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// maxDatagram is how much of a datagram is read.
const maxDatagram = 2 << 10

// udn is the unique device name of the root device; those that it embeds differ in the last digit.
const udn = "uuid:6c8bd1f0-5ad0-4bb1-9a0e-00000000000"

// Search is one M-SEARCH.
type Search struct {
	From   string `json:"from"`
	Target string `json:"target"` // ST
}

// ParseSearch reads an M-SEARCH (UPnP Device Architecture 1.1, section 1.3.2). The error of another message, such as a NOTIFY, is
// ErrOther.
func ParseSearch(b []byte) (*Search, error) {
	line, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || len(b) > maxDatagram {
		return nil, errors.New("parse SSDP message: not a message of at most 2 KiB with lines that end in CR LF")
	}
	if bytes.HasPrefix(line, []byte("NOTIFY ")) || bytes.HasPrefix(line, []byte("HTTP/")) {
		return nil, ErrOther
	}
	if string(line) != "M-SEARCH * HTTP/1.1" {
		return nil, fmt.Errorf("parse SSDP message: its first line is %.40q", line)
	}
	head, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest))).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("parse SSDP message: %w", err)
	}
	if head.Get("Man") != `"ssdp:discover"` {
		return nil, fmt.Errorf("parse SSDP message: MAN is %.40q", head.Get("Man"))
	}
	s := &Search{Target: head.Get("St")}
	if s.Target == "" || len(s.Target) > 256 {
		return nil, errors.New("parse SSDP message: ST is missing or too long")
	}
	return s, nil
}

// ErrOther is returned by ParseSearch for an SSDP message that is no search.
var ErrOther = errors.New("parse SSDP message: it is no search")

// discovered answers what came to the group.
func (g *Gateway) discovered(data []byte, from net.Addr) {
	s, err := ParseSearch(data)
	switch {
	case errors.Is(err, ErrOther):
	case err != nil:
		g.o.Log.Add(evidence.Event{Part: g.o.Part, Kind: evidence.Bad, Text: fmt.Sprintf("%s: %v", from, err), Size: len(data)})
	default:
		s.From = from.String()
		g.add(evidence.In, fmt.Sprintf("search for %s from %s", s.Target, from), s)
		g.answer(s, from)
	}
}

// answer sends a response for each thing that is searched for.
func (g *Gateway) answer(s *Search, to net.Addr) {
	b := g.behaviour()
	if b.Absent {
		return
	}
	for _, has := range g.offers(b) {
		if s.Target != "ssdp:all" && s.Target != has.kind {
			continue
		}
		m := fmt.Sprintf("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\nLOCATION: %s\r\nSERVER: Linux/5.10 UPnP/1.1 shakedown/1\r\nST: %s\r\nUSN: %s\r\nBOOTID.UPNP.ORG: 1\r\nCONFIGID.UPNP.ORG: 1\r\n\r\n",
			g.location(b), has.kind, has.name)
		if _, err := g.ssdp.WriteTo([]byte(m), to); err != nil {
			return // nobody is there any more
		}
		g.add(evidence.Out, fmt.Sprintf("found %s at %s", has.kind, g.location(b)), nil)
	}
}

// Announce says to the network that the gateway is there, as it does after a reboot.
func (g *Gateway) Announce() {
	b := g.behaviour()
	if b.Absent {
		return
	}
	for _, has := range g.offers(b) {
		m := fmt.Sprintf("NOTIFY * HTTP/1.1\r\nHOST: %s\r\nCACHE-CONTROL: max-age=120\r\nLOCATION: %s\r\nNT: %s\r\nNTS: ssdp:alive\r\nSERVER: Linux/5.10 UPnP/1.1 shakedown/1\r\nUSN: %s\r\n\r\n",
			Group, g.location(b), has.kind, has.name)
		if _, err := g.ssdp.WriteTo([]byte(m), net.UDPAddrFromAddrPort(Group)); err != nil {
			return
		}
	}
	g.add(evidence.Out, "announces itself", nil)
}

func (g *Gateway) location(b Behaviour) string {
	if b.Location != "" {
		return b.Location
	}
	return fmt.Sprintf("http://%s:%d/description.xml", g.o.Router.LAN().Addr(), Port)
}

// offer is one thing that can be searched for.
type offer struct{ kind, name string }

// offers are the devices and services, also by the lower versions that they include.
func (g *Gateway) offers(b Behaviour) []offer {
	all := []offer{{"upnp:rootdevice", udn + "0::upnp:rootdevice"}, {udn + "0", udn + "0"}}
	for v := 1; v <= b.version(); v++ {
		for i, kind := range []string{"device:InternetGatewayDevice", "device:WANDevice", "device:WANConnectionDevice", "service:WANIPConnection"} {
			urn := fmt.Sprintf("urn:schemas-upnp-org:%s:%d", kind, v)
			all = append(all, offer{urn, fmt.Sprintf("%s%d::%s", udn, min(i, 2), urn)})
		}
	}
	return all
}

func (b Behaviour) version() int {
	if b.Version1 {
		return 1
	}
	return 2
}

// description is the XML at LOCATION.
func (g *Gateway) description(b Behaviour) string {
	v := fmt.Sprint(b.version())
	device := func(n int, kind, name, inner string) string {
		return "<device><deviceType>urn:schemas-upnp-org:device:" + kind + ":" + v + "</deviceType><friendlyName>" + name +
			"</friendlyName><manufacturer>Shakedown</manufacturer><modelName>Stand-in router</modelName><UDN>" + udn + fmt.Sprint(n) + "</UDN>" + inner + "</device>"
	}
	service := func(kind, version, id, path string) string {
		return "<serviceList><service><serviceType>urn:schemas-upnp-org:service:" + kind + ":" + version + "</serviceType><serviceId>urn:upnp-org:serviceId:" + id +
			"</serviceId><SCPDURL>/" + path + ".xml</SCPDURL><controlURL>/control/" + path + "</controlURL><eventSubURL>/event/" + path + "</eventSubURL></service></serviceList>"
	}
	connection := device(2, "WANConnectionDevice", "Connection", service("WANIPConnection", v, "WANIPConn1", "connection"))
	wan := device(1, "WANDevice", "WAN", service("WANCommonInterfaceConfig", "1", "WANCommonIFC1", "common")+"<deviceList>"+connection+"</deviceList>")
	root := device(0, "InternetGatewayDevice", "Home router", "<deviceList>"+wan+"</deviceList>")
	return strings.Join([]string{
		`<?xml version="1.0"?>`, `<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>1</minor></specVersion>`, root, `</root>`,
	}, "\n")
}
