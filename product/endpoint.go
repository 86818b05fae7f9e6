package product

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// endpointPorts are the ports of the schemes that an endpoint may be written with; "" is none.
var endpointPorts = map[string]string{"": "", "tls": "", "https": "443", "wss": "443", "mqtts": "8883"}

// ParseEndpoint takes apart where a server is asked for its certificates: host:port, or such as https://api.example.com. What stands behind
// the host is left out.
func ParseEndpoint(text string) (host, port string, err error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	}
	usual, known := endpointPorts[scheme]
	if !known {
		return "", "", fmt.Errorf("%s does not begin with tls://, https://, wss:// or mqtts://", short(text))
	}
	if ok {
		rest, _, _ = strings.Cut(rest, "/")
	}
	if host, port, err = net.SplitHostPort(rest); err != nil {
		host, port = strings.Trim(rest, "[]"), usual
	}
	n, bad := strconv.ParseUint(port, 10, 16)
	if host == "" || bad != nil || n == 0 || strings.ContainsAny(host, " @?#") {
		return "", "", fmt.Errorf("%s is not host:port", short(text))
	}
	return host, port, nil
}

// IsEndpoint reports whether a word is written as the address of an endpoint, and not as the name of a file.
func IsEndpoint(word string) bool {
	scheme, _, ok := strings.Cut(word, "://")
	_, known := endpointPorts[scheme]
	return ok && known && scheme != ""
}
