package ws

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/wire/http1"
)

// AcceptKey is the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (RFC 6455 section 4.2.2).
func AcceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Upgrade is what a client asks for in its opening handshake.
type Upgrade struct {
	Path      string   `json:"path"`
	Host      string   `json:"host"`
	Protocols []string `json:"protocols"` // that it offers
	Key       string   `json:"-"`
}

// ParseUpgrade reads a request as an opening handshake. The error says what section 4.2.1 of RFC 6455 misses in it.
func ParseUpgrade(q *http1.Request) (Upgrade, error) {
	u := Upgrade{Path: q.Path(), Host: q.Host(), Key: q.Fields.Get("Sec-WebSocket-Key")}
	for _, f := range q.Fields {
		if strings.EqualFold(f.Name, "Sec-WebSocket-Protocol") {
			u.Protocols = append(u.Protocols, words(f.Value)...)
		}
	}
	nonce, err := base64.StdEncoding.DecodeString(u.Key)
	switch {
	case q.Method != http.MethodGet || q.Proto != "HTTP/1.1":
		return u, fmt.Errorf("%s %s is no opening handshake", q.Method, q.Proto)
	case !has(q.Fields.Get("Upgrade"), "websocket") || !has(q.Fields.Get("Connection"), "Upgrade"):
		return u, fmt.Errorf("Upgrade %q and Connection %q ask for no WebSocket", q.Fields.Get("Upgrade"), q.Fields.Get("Connection"))
	case q.Fields.Get("Sec-WebSocket-Version") != "13":
		return u, fmt.Errorf("version %q of WebSocket", q.Fields.Get("Sec-WebSocket-Version"))
	case err != nil || len(nonce) != 16:
		return u, fmt.Errorf("a key that is not 16 bytes in base64")
	}
	return u, nil
}

func words(list string) (all []string) {
	for _, w := range strings.Split(list, ",") {
		if w = strings.TrimSpace(w); w != "" {
			all = append(all, w)
		}
	}
	return all
}

func has(list, word string) bool {
	return slices.ContainsFunc(words(list), func(w string) bool { return strings.EqualFold(w, word) })
}

// Request is the opening handshake of a client.
func Request(host, path, protocol, key string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: " + key + "\r\nSec-WebSocket-Protocol: " + protocol + "\r\n\r\n"
}

// Answer is what a server says to an opening handshake.
type Answer struct {
	Status   int
	Accepts  bool   // it is 101 with the fields that make it a WebSocket
	Accept   string // Sec-WebSocket-Accept
	Protocol string // that it chose; empty: none
}

// ReadAnswer reads what a server says to an opening handshake.
func ReadAnswer(in *bufio.Reader) (Answer, error) {
	r, err := http.ReadResponse(in, &http.Request{Method: http.MethodGet})
	if err != nil {
		return Answer{}, fmt.Errorf("read answer to the opening handshake: %w", err)
	}
	if r.StatusCode != http.StatusSwitchingProtocols {
		r.Body.Close()
	}
	return Answer{
		Status: r.StatusCode, Accept: r.Header.Get("Sec-WebSocket-Accept"), Protocol: r.Header.Get("Sec-WebSocket-Protocol"),
		Accepts: r.StatusCode == http.StatusSwitchingProtocols && has(r.Header.Get("Upgrade"), "websocket") && has(r.Header.Get("Connection"), "Upgrade"),
	}, nil
}
