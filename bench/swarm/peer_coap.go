//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/udp"
	"github.com/plgd-dev/go-coap/v3/udp/client"
)

// goCoAP is the peer for CoAP: the client that a Go programmer would take, with a goroutine for each device, each of which sends at its
// own pace from a phase of its own.
func goCoAP(s setup) error {
	devices := make([]*client.Conn, s.Conns)
	for n := range devices {
		c, err := udp.Dial(s.To)
		if err != nil {
			return fmt.Errorf("dial device %d: %w", n, err)
		}
		devices[n] = c
	}
	every := time.Second * time.Duration(s.Conns) / time.Duration(s.Rate)
	ctx, done := context.WithTimeout(context.Background(), s.For)
	defer done()
	answered := make(chan int64)
	for n, c := range devices {
		go func() {
			count := int64(0)
			defer func() { answered <- count }()
			b := body(n)
			time.Sleep(every * time.Duration(n) / time.Duration(s.Conns))
			for tick := time.NewTicker(every); ; {
				if r, err := c.Post(ctx, fmt.Sprintf("/d/%06d/t", n), message.AppOctets, bytes.NewReader(b)); err == nil {
					c.ReleaseMessage(r)
					count++
				}
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	f := figures{}
	for range devices {
		f.Acked += <-answered
	}
	f.Messages[0] = f.Acked
	say(f)
	return nil
}
