package device

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/shakedown-test/shakedown/wire/ws"
)

// upgrade makes a WebSocket of a connection, where the device has to (RFC 6455 section 4.1; MQTT 5.0 section 6).
func (d *Device) upgrade(ctx context.Context, conn net.Conn, host, port string) (net.Conn, error) {
	if !d.cfg.WebSocket {
		return conn, nil
	}
	ctx, cancel := d.cfg.Clock.Timeout(ctx, connectWait)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	socket, err := d.openSocket(conn, net.JoinHostPort(host, port))
	if err != nil {
		_ = conn.Close() // the handshake's error says why
		return nil, fmt.Errorf("WebSocket handshake with %s: %w", host, err)
	}
	return socket, nil
}

// openSocket holds the opening handshake.
func (d *Device) openSocket(conn net.Conn, host string) (net.Conn, error) {
	chance := d.socketChance()
	var nonce [16]byte
	binary.BigEndian.PutUint64(nonce[:], chance())
	binary.BigEndian.PutUint64(nonce[8:], chance())
	key := base64.StdEncoding.EncodeToString(nonce[:])
	if _, err := io.WriteString(conn, ws.Request(host, "/mqtt", "mqtt", key)); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	a, err := ws.ReadAnswer(in)
	switch {
	case err != nil:
		return nil, err
	case !a.Accepts:
		return nil, fmt.Errorf("answered with status %d", a.Status)
	case a.Accept != ws.AcceptKey(key) && !d.has("ws-accept-ignored"):
		return nil, errors.New("the answer is to another handshake")
	case a.Protocol != "mqtt" && !d.has("ws-protocol-ignored"):
		return nil, fmt.Errorf("the server chose the subprotocol %q, not mqtt", a.Protocol)
	}
	limit := maxPacketOld + 1024
	if d.has("ws-short-frames") {
		limit = 1 << 16
	}
	return ws.NewConn(conn, in, ws.Options{
		Limit: limit,
		Mask: func() (key [4]byte) {
			binary.BigEndian.PutUint32(key[:], uint32(chance()))
			return key
		},
		Control: func(f ws.Frame) bool { return d.socketFlawed(f) },
	}), nil
}

// socketChance is a source of keys of its own: frames are written by two goroutines, that which answers pings and that of Run.
func (d *Device) socketChance() func() uint64 {
	rng := rand.NewPCG(d.cfg.Seed, uint64(d.src.uptime()))
	var mu sync.Mutex
	return func() uint64 {
		mu.Lock()
		defer mu.Unlock()
		return rng.Uint64()
	}
}

// closeCause is what the end of a connection says about the next wait: a server that closes a WebSocket with a code says why
// (RFC 6455 section 7.4).
func closeCause(err error) cause {
	var closed *ws.CloseError
	if !errors.As(err, &closed) {
		return dropped
	}
	switch closed.Code {
	case ws.Policy:
		return unauthorised
	case ws.TryLater, ws.Restart:
		return busy
	}
	return dropped
}

// socketFlawed is what defects do to frames about the connection.
func (d *Device) socketFlawed(f ws.Frame) bool {
	return f.Op == ws.Ping && d.has("ws-no-pong")
}
