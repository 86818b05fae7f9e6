package fleet

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/fleet/record"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// handshakes is how many TLS handshakes are under way at once for each processor: they cost its time, and more would only wait for each other.
const handshakes = 64

// handshake is a device that waits for its turn, and since when.
type handshake struct {
	device, turn int32
	since        int64
}

// shake starts handshakes while there is room. Time in the queue is this program's own.
func (s *shard) shake(now int64) {
	for s.shaking < s.most(handshakes) && len(s.handshake) > 0 {
		h := s.handshake[0]
		s.handshake = s.handshake[1:]
		d := &s.devices[h.device]
		if d.turn != h.turn || d.state != shaking {
			continue
		}
		s.meter.Time(series.Lag, time.Duration(now-h.since))
		s.shaking++
		s.goroutines.Add(1)
		go s.secure(h.device, h.turn, lend(d.fd), s.security(h.device))
	}
}

// secure does a handshake beside the loop.
func (s *shard) secure(i, turn int32, socket func() (net.Conn, error), security func() (*tls.Config, error)) {
	defer s.goroutines.Done()
	ctx, cancel := context.WithTimeout(s.life, attempt)
	defer cancel()
	nc, err := socket()
	var done record.Done
	var cfg *tls.Config
	if err == nil {
		cfg, err = security()
	}
	begun := time.Now()
	if err == nil {
		done, err = record.Handshake(ctx, nc, cfg)
	}
	took := time.Since(begun)
	s.post(func(now int64) {
		s.shaking--
		s.shake(now)
		d := &s.devices[i]
		if d.turn != turn || d.state != shaking {
			if nc != nil {
				nc.Close()
			}
			return
		}
		if err == nil && done.Conn != nil { // before TLS 1.3: it stays with crypto/tls
			s.secured(took, done.State.DidResume)
			shut(d.fd, false)
			d.fd = -1
			s.carryOn(i, done.Conn, now)
			return
		}
		if nc != nil {
			nc.Close()
		}
		if err == nil {
			err = s.poll.add(d.fd, i, d.turn, false)
		}
		if err != nil {
			s.fail(i, classify(err), now)
			return
		}
		s.secured(took, done.State.DidResume)
		if s.ciphers == nil {
			s.ciphers = record.NewCiphers(2 * min(len(s.devices), 1024))
		}
		done.Session.Keep(s.ciphers)
		d.more().tls = done.Session
		s.opened(i, now)
	})
}

// secured counts a handshake that is done.
func (s *shard) secured(took time.Duration, resumed bool) {
	s.meter.Time(series.TLS, took)
	if resumed {
		s.meter.Count(series.Resumed, 1)
	}
}
