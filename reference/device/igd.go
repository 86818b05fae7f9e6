package device

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ssdp is where UPnP devices are searched for (UPnP Device Architecture 1.1, section 1.3).
var ssdp = netip.MustParseAddrPort("239.255.255.250:1900")

// errNoRouter says that no router answers that could open a port.
var errNoRouter = errors.New("no router answers the search")

// upnpError is the error with which a router refuses an action.
type upnpError struct{ code int }

func (e *upnpError) Error() string {
	return fmt.Sprintf("the router refused with UPnP error %d", e.code)
}

// igd is a router that opens ports.
type igd struct {
	cfg     *Config
	control string // URL
	service string // URN
}

// discover searches for a router.
func (p *porter) discover(ctx context.Context) (*igd, error) {
	at, err := p.search(ctx)
	if err != nil {
		return nil, err
	}
	g := &igd{cfg: p.home.cfg}
	body, err := g.fetch(ctx, http.MethodGet, at, "", nil)
	if err != nil {
		return nil, fmt.Errorf("read the router's description: %w", err)
	}
	path, service, err := connection(body)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("read the router's description: %w", err)
	}
	control, err := base.Parse(path)
	if err != nil || control.Host != base.Host {
		return nil, fmt.Errorf("%w: its control URL leads elsewhere", errBadXML)
	}
	g.control, g.service = control.String(), service
	return g, nil
}

// search returns the LOCATION of a router. It has to be on the host that answered: others are none of its business.
func (p *porter) search(ctx context.Context) (string, error) {
	home := p.home.address()
	if !home.IsValid() {
		return "", errNoRouter
	}
	conn, err := p.home.cfg.Home.ListenPacket(netip.AddrPortFrom(home, 0))
	if err != nil {
		return "", fmt.Errorf("search for a router: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	const m = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
	for range 2 {
		if _, err := conn.WriteTo([]byte(m), net.UDPAddrFromAddrPort(ssdp)); err != nil {
			return "", fmt.Errorf("search for a router: %w", err)
		}
	}
	if err := conn.SetReadDeadline(p.home.cfg.Clock.Deadline(igdSearch)); err != nil {
		return "", fmt.Errorf("search for a router: %w", err)
	}
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return "", errNoRouter
		}
		head, _, _ := bytes.Cut(buf[:n], []byte("\r\n\r\n"))
		for line := range strings.SplitSeq(string(head), "\r\n") {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			if strings.EqualFold(name, "location") && (p.near(value, from) || p.home.cfg.has("upnp-location-anywhere")) {
				return value, nil
			}
		}
	}
}

// near reports whether a LOCATION is plain HTTP on the host that answered.
func (p *porter) near(location string, from net.Addr) bool {
	u, err := url.Parse(location)
	a, ok := from.(*net.UDPAddr)
	return err == nil && ok && u.Scheme == "http" && u.Hostname() == a.IP.String()
}

// add opens a port and returns which it is.
func (g *igd) add(ctx context.Context, inside netip.AddrPort, port uint16, lease time.Duration) (uint16, error) {
	action := "AddPortMapping"
	if strings.HasSuffix(g.service, ":2") {
		action = "AddAnyPortMapping"
	}
	out, err := g.call(ctx, action,
		"NewRemoteHost", "", "NewExternalPort", strconv.Itoa(int(port)), "NewProtocol", "TCP", "NewInternalPort", strconv.Itoa(int(inside.Port())),
		"NewInternalClient", inside.Addr().String(), "NewEnabled", "1", "NewPortMappingDescription", "thermostat", "NewLeaseDuration", strconv.Itoa(int(lease.Seconds())))
	if err != nil {
		return 0, err
	}
	if given, err := strconv.ParseUint(out["NewReservedPort"], 10, 16); err == nil && given != 0 {
		return uint16(given), nil
	}
	return port, nil
}

// confirm looks whether the port is really open to the device, and finds the one that is when it is another: some routers map another
// port than they say.
func (g *igd) confirm(ctx context.Context, inside netip.AddrPort, port uint16) (uint16, error) {
	ours := func(out map[string]string) bool {
		return out["NewInternalClient"] == inside.Addr().String() && out["NewInternalPort"] == strconv.Itoa(int(inside.Port()))
	}
	out, err := g.call(ctx, "GetSpecificPortMappingEntry", "NewRemoteHost", "", "NewExternalPort", strconv.Itoa(int(port)), "NewProtocol", "TCP")
	if err == nil && ours(out) {
		return port, nil
	}
	for i := range 64 {
		out, err := g.call(ctx, "GetGenericPortMappingEntry", "NewPortMappingIndex", strconv.Itoa(i))
		if err != nil {
			break
		}
		if other, err := strconv.ParseUint(out["NewExternalPort"], 10, 16); err == nil && ours(out) && out["NewProtocol"] == "TCP" {
			return uint16(other), nil
		}
	}
	return 0, errors.New("the router says that a port is open, and shows none")
}

func (g *igd) remove(ctx context.Context, port uint16) error {
	_, err := g.call(ctx, "DeletePortMapping", "NewRemoteHost", "", "NewExternalPort", strconv.Itoa(int(port)), "NewProtocol", "TCP")
	return err
}

// address is the router's address to the internet.
func (g *igd) address(ctx context.Context) (netip.Addr, error) {
	out, err := g.call(ctx, "GetExternalIPAddress")
	if err != nil {
		return netip.Addr{}, err
	}
	addr, err := netip.ParseAddr(out["NewExternalIPAddress"])
	if err != nil {
		return addr, fmt.Errorf("%w: %w", errBadXML, err)
	}
	return addr, nil
}

// call carries an action out; args are names and values in turn.
func (g *igd) call(ctx context.Context, action string, args ...string) (map[string]string, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:%s xmlns:u="%s">`, action, g.service)
	for i := 0; i+1 < len(args); i += 2 {
		fmt.Fprintf(&b, "<%s>", args[i])
		_ = xml.EscapeText(&b, []byte(args[i+1])) // a bytes.Buffer takes everything
		fmt.Fprintf(&b, "</%s>", args[i])
	}
	fmt.Fprintf(&b, "</u:%s></s:Body></s:Envelope>", action)
	body, err := g.fetch(ctx, http.MethodPost, g.control, fmt.Sprintf("%q", g.service+"#"+action), &b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	out, err := leaves(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	if text, failed := out["errorCode"]; failed {
		code, _ := strconv.Atoi(text)
		return nil, fmt.Errorf("%s: %w", action, &upnpError{code})
	}
	return out, nil
}

// fetch makes one HTTP request to the router.
func (g *igd) fetch(ctx context.Context, method, at, action string, body io.Reader) ([]byte, error) {
	ctx, cancel := g.cfg.Clock.Timeout(ctx, igdAnswer)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	if action != "" {
		r.Header.Set("Content-Type", `text/xml; charset="utf-8"`)
		r.Header.Set("SOAPAction", action)
	}
	client := http.Client{
		Transport:     &http.Transport{DialContext: g.cfg.Dial, DisableKeepAlives: true, MaxResponseHeaderBytes: 8 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
}

// walk calls f for each element that holds only text, with the names of the elements around it.
func walk(body []byte, f func(path []string, text string)) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	var path []string
	text := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(path) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errBadXML, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			path, text = append(path, t.Name.Local), ""
			if len(path) > 32 {
				return errBadXML
			}
		case xml.CharData:
			text += string(t)
		case xml.EndElement:
			f(path, strings.TrimSpace(text))
			path, text = path[:len(path)-1], ""
		}
	}
}

// leaves are the texts of a SOAP answer by the names of their elements.
func leaves(body []byte) (map[string]string, error) {
	all := map[string]string{}
	err := walk(body, func(path []string, text string) { all[path[len(path)-1]] = text })
	return all, err
}

// connection finds the service that opens ports in a description.
func connection(body []byte) (control, service string, err error) {
	kind, path := "", ""
	err = walk(body, func(at []string, text string) {
		switch at[len(at)-1] {
		case "serviceType":
			kind = text
		case "controlURL":
			path = text
		case "service":
			if service == "" && (strings.HasPrefix(kind, "urn:schemas-upnp-org:service:WANIPConnection:") || strings.HasPrefix(kind, "urn:schemas-upnp-org:service:WANPPPConnection:")) {
				control, service = path, kind
			}
			kind, path = "", ""
		}
	})
	if err == nil && service == "" {
		err = fmt.Errorf("%w: no service that opens ports", errBadXML)
	}
	return control, service, err
}
