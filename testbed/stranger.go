package testbed

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// Stranger is another host of the device's home network, which asks by CoAP who is there. It is used by one goroutine at a time.
type Stranger struct {
	bed  *Bed
	host *internet.Host
	conn net.PacketConn
	in   chan *coap.Message
	done sync.WaitGroup
	size atomic.Int64 // bytes that came
	stop func()
}

// Stranger joins one to the world. Close, or the end of the testbed, ends it.
func (b *Bed) Stranger() (*Stranger, error) {
	host, _, err := b.World.Home().Host("stranger")
	if err != nil {
		return nil, fmt.Errorf("join a stranger: %w", err)
	}
	conn, err := host.ListenPacket(netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
	if err != nil {
		return nil, fmt.Errorf("open a socket of the stranger: %w", err)
	}
	n := &Stranger{bed: b, host: host, conn: conn, in: make(chan *coap.Message, 16)}
	n.done.Go(n.listen)
	n.stop = sync.OnceFunc(func() {
		conn.Close()
		n.done.Wait()
	})
	b.Undo(n.stop)
	return n, nil
}

// Close ends the stranger, and returns how many bytes came to it.
func (n *Stranger) Close() int {
	n.stop()
	return int(n.size.Load())
}

func (n *Stranger) listen() {
	b := make([]byte, 1<<16)
	for {
		size, from, err := n.conn.ReadFrom(b)
		if err != nil {
			return
		}
		n.size.Add(int64(size))
		m, err := coap.Decode(append([]byte(nil), b[:size]...))
		e := evidence.Event{Part: "stranger", Kind: evidence.In, Size: size, Hex: hex.EncodeToString(b[:min(size, 64)])}
		if err != nil {
			e.Kind, e.Text = evidence.Bad, fmt.Sprintf("from %s: %v", from, err)
			n.bed.Log.Add(e)
			continue
		}
		e.Text, e.Data = fmt.Sprintf("from %s: %s", from, m), m
		n.bed.Log.Add(e)
		select {
		case n.in <- m:
		default: // who asks reads only so much
		}
	}
}

// Ask sends a request and waits up to within (device time) for its answer. It returns a took of 0 when none came; the error is ctx's.
func (n *Stranger) Ask(ctx context.Context, m *coap.Message, to net.Addr, within time.Duration) (answer *coap.Message, took time.Duration, err error) {
	raw := m.Bytes()
	n.bed.Log.Add(evidence.Event{Part: "stranger", Kind: evidence.Out, Text: fmt.Sprintf("to %s: %s", to, m), Size: len(raw), Data: m})
	start := n.bed.Clock.Now()
	if _, err := n.conn.WriteTo(raw, to); err != nil {
		return nil, 0, fmt.Errorf("ask as a stranger: %w", err)
	}
	wait, cancel := n.bed.Clock.Timeout(ctx, within)
	defer cancel()
	for {
		select {
		case answer := <-n.in:
			if string(answer.Token) == string(m.Token) && answer.Code.Response() {
				return answer, n.bed.Clock.Since(start), nil
			}
		case <-wait.Done():
			return nil, 0, ctx.Err()
		}
	}
}
