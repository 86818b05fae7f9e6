package testbed

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
	"github.com/shakedown-test/shakedown/world/pki"
)

// openCoAP plays the server for a real device that speaks CoAP.
func (b *Bed) openCoAP(part product.Part) error {
	l := b.Product.LinkOf(part.Name, product.COAP)
	conn, err := b.listenPacket(part, l.Protocol)
	if err != nil {
		return fmt.Errorf("listen for it: %w", err)
	}
	var secure *origin.DTLS
	if l.Protocol == product.COAPS {
		cert, err := b.PKI.Server(pki.Good, part.Host)
		if err != nil {
			conn.Close()
			return fmt.Errorf("issue the server's certificate: %w", err)
		}
		secure = &origin.DTLS{Keys: map[string][]byte{}, Certificate: cert, ClientCAs: b.PKI.ClientPool()}
	}
	b.CoAP = origin.New(origin.Options{
		Part: l.To, Clock: b.Clock, Log: b.Log, Conn: conn, DTLS: secure, Rand: rand.New(rand.NewPCG(b.cfg.Seed, 0xc0a9)),
	})
	b.Undo(b.CoAP.Close)
	if b.Device, err = b.unit(part, 1); err != nil {
		return err
	}
	return b.Device.serve()
}

func (b *Bed) listenPacket(part product.Part, speaks product.Protocol) (net.PacketConn, error) {
	if b.cfg.Kinds.Joins(part) {
		at, err := b.openWorld(part)
		if err != nil {
			return nil, err
		}
		return b.World.Servers.ListenPacket(netip.AddrPortFrom(at, ports[speaks]))
	}
	address := part.Listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	return net.ListenPacket("udp", address)
}

// psk is the pre-shared key of a unit, as declared, or made for the run.
func (b *Bed) psk(part product.Part, id string) (identity string, key []byte) {
	identity = id
	key = binaryKey(b.cfg.Seed, id)
	if c := part.CoAP; c != nil {
		if c.Identity != "" {
			identity = product.Fill(c.Identity, id, 0, "")
		}
		if declared, err := hex.DecodeString(c.Key); err == nil && len(declared) > 0 {
			key = declared
		}
	}
	b.CoAP.SetDTLS(func(o *origin.DTLS) {
		if o.Keys != nil {
			o.Keys[identity] = key
		}
	})
	return identity, key
}

// binaryKey is 16 bytes that nobody else has in this run.
func binaryKey(seed uint64, id string) []byte {
	r := rand.New(rand.NewPCG(seed, uint64(crc32.ChecksumIEEE([]byte(id)))))
	key := make([]byte, 16)
	for i := range key {
		key[i] = byte(r.Uint32())
	}
	return key
}

// coapPart is what is declared of the device's use of CoAP; never nil.
func (d *Device) coapPart() *product.CoAPPart {
	if d.Part.CoAP == nil {
		return &product.CoAPPart{}
	}
	return d.Part.CoAP
}

// document is a declared document by its key.
func (d *Device) document(key string) *product.Document {
	c := d.coapPart()
	return map[string]*product.Document{"config": c.Config, "settings": c.Settings, "action": c.Action}[key]
}

// PathOf is a declared path: of "telemetry", "config", "settings", "action" or "resource"; empty when it is not declared.
func (d *Device) PathOf(key string) string {
	path := map[string]string{"telemetry": d.coapPart().Telemetry, "resource": d.coapPart().Resource}[key]
	if doc := d.document(key); doc != nil {
		path = doc.Path
	}
	return product.Fill(path, d.ID, 0, "")
}

// prepareCoAP compiles what the product file declares about the device's documents.
func (d *Device) prepareCoAP() error {
	d.shows = map[string]product.Value{}
	for _, key := range []string{"config", "settings", "action"} {
		doc := d.document(key)
		if doc == nil {
			continue
		}
		v, err := product.CompileValue(doc.Shows)
		if err != nil {
			return fmt.Errorf("compile what %s shows: %w", key, err)
		}
		d.shows[key] = v
	}
	if expr := d.coapPart().Sequence; expr != "" {
		v, err := product.CompileValue(expr)
		if err != nil {
			return fmt.Errorf("compile the sequence: %w", err)
		}
		d.shows["sequence"] = v
	}
	return nil
}

// serve gives the server what the device expects there.
func (d *Device) serve() error {
	if p := d.PathOf("telemetry"); p != "" {
		d.bed.CoAP.Serve(p, origin.Sink())
	}
	for _, key := range []string{"config", "settings"} {
		if d.document(key) != nil {
			d.bed.CoAP.Put(d.PathOf(key), d.Body(key, 0).Bytes, coap.JSON)
		}
	}
	return nil
}

// Body is one body of a document, unlike every other of the run.
type Body struct {
	N     int
	Token string
	Bytes []byte
	Sum   string // CRC-32 in hex
}

// Is reports whether what a device says of its document means this body.
func (b Body) Is(says string) bool {
	return says == b.Token || strings.EqualFold(says, b.Sum) || says == fmt.Sprint(b.N)
}

// Body makes a new body of a declared document, of at least size bytes where the document can be filled.
func (d *Device) Body(key string, size int) Body {
	d.sent++
	b := Body{N: d.sent + 100, Token: fmt.Sprintf("sd%04x%02d", d.bed.Rand.IntN(1<<16), d.sent)}
	text := product.Fill(d.document(key).Payload, d.ID, b.N, b.Token)
	const words = "abcdefghijklmnopqrstuvwxyz0123456789"
	if missing := size - len(text) + len("{fill}"); missing > 0 && strings.Contains(text, "{fill}") {
		fill := make([]byte, missing)
		for i := range fill {
			fill[i] = words[d.bed.Rand.IntN(len(words))]
		}
		text = strings.Replace(text, "{fill}", string(fill), 1)
	}
	b.Bytes = []byte(strings.ReplaceAll(text, "{fill}", ""))
	b.Sum = fmt.Sprintf("%08x", crc32.ChecksumIEEE(b.Bytes))
	return b
}

// Says is what a telemetry message tells of a document; ok is false when it is no telemetry or tells nothing.
func (d *Device) Says(key string, e evidence.Event) (says string, ok bool) {
	m, is := origin.Got(e)
	if !is || !m.Code.Request() || m.Path() != d.PathOf("telemetry") || d.shows[key] == nil {
		return "", false
	}
	vars := product.Vars{Text: string(m.Payload), Topic: m.Path(), ID: d.ID}
	if json.Unmarshal(m.Payload, &vars.Payload) != nil {
		return "", false
	}
	says, err := d.shows[key].Text(vars)
	return says, err == nil
}

// AwaitSaying waits up to within (device time) until the device says of a document what match wants, in the events from mark on. Said
// is the last that it said. The error is that of ctx.
func (d *Device) AwaitSaying(ctx context.Context, key string, mark int, within time.Duration, match func(says string) bool) (said string, ok bool, err error) {
	_, ok, err = d.AwaitEvent(ctx, mark, within, func(e evidence.Event) bool {
		says, is := d.Says(key, e)
		if is {
			said = says
		}
		return is && match(says)
	})
	return said, ok, err
}

// AwaitEvent waits up to within (device time) for an event from mark on. It reports false when the time is over. The error is that of
// ctx.
func (d *Device) AwaitEvent(ctx context.Context, mark int, within time.Duration, match func(evidence.Event) bool) (evidence.Event, bool, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, match)
	return e, err == nil, ctx.Err()
}

// AwaitMessage waits like AwaitEvent for a message from the device.
func (d *Device) AwaitMessage(ctx context.Context, mark int, within time.Duration, match func(evidence.Event, *coap.Message) bool) (evidence.Event, bool, error) {
	return d.AwaitEvent(ctx, mark, within, func(e evidence.Event) bool {
		m, ok := origin.Got(e)
		return ok && match(e, m)
	})
}

// Contact is a device that was heard of and answered.
type Contact struct {
	Peer  *origin.Peer
	Mark  int       // number of the event of its request
	Since time.Time // when it came
}

// Contact starts the device and waits until a request of it was answered with success. It is the positive control of the checks of
// devices that speak CoAP: its error is ErrOffline when the device does not make it in a world where nothing is wrong.
func (d *Device) Contact(ctx context.Context) (*Contact, error) {
	mark := d.bed.Log.Len()
	if err := d.Start(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", d.Part.Name, err)
	}
	return d.NextContact(ctx, mark, d.ConnectWithin()*3/2)
}

// NextContact waits up to within (device time) for a request after mark that is answered with success.
func (d *Device) NextContact(ctx context.Context, mark int, within time.Duration) (*Contact, error) {
	asked := map[string]evidence.Event{}
	var first evidence.Event
	e, ok, err := d.AwaitEvent(ctx, mark, within, func(e evidence.Event) bool {
		if m, is := origin.Got(e); is && m.Code.Request() {
			asked[fmt.Sprint(e.Conn, m.Token)] = e
		}
		m, is := origin.Sent(e)
		if is && m.Code.Class() == 2 {
			first, is = asked[fmt.Sprint(e.Conn, m.Token)]
			return is
		}
		return d.Ends(e)
	})
	switch {
	case err != nil:
		return nil, err
	case ok && d.Ends(e):
		return nil, fmt.Errorf("%w: its process ended: %s", ErrOffline, e.Text)
	case !ok:
		return nil, fmt.Errorf("%w: no request that could be answered within %s", ErrOffline, within)
	}
	return &Contact{Peer: d.bed.CoAP.Peer(e.Conn), Mark: first.N, Since: first.At}, nil
}

// Door is where the device answers plain CoAP in its own network, as declared; ok is false when it has no address that is known here.
func (d *Device) Door() (at netip.AddrPort, ok bool) {
	if d.host == nil || len(d.host.Addresses()) == 0 {
		return at, false
	}
	return netip.AddrPortFrom(d.host.Addresses()[0].Addr(), uint16(d.coapPart().Port)), d.coapPart().Port > 0
}

// Sequence is the running number of a telemetry message; ok is false when it is none, or has none.
func (d *Device) Sequence(e evidence.Event) (n int64, ok bool) {
	says, ok := d.Says("sequence", e)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(says, 10, 64)
	return n, err == nil
}

// Certified has the server take devices by certificate alone, and shows this one.
func (b *Bed) Certified(cert *tls.Certificate, mtu int) (undo func()) {
	return b.CoAP.SetDTLS(func(o *origin.DTLS) { o.Keys, o.Certificate, o.MTU = nil, cert, mtu })
}
