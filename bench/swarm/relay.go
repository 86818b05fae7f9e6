//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// relay stands between a fleet and a broker, and loses one PUBLISH of QoS 0 or 1 in so many on the way to the broker, whole packets, so
// that nothing else is disturbed. It tells how many.
func relay(s setup) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	r := &thief{setup: s}
	r.Addr = l.Addr().String()
	say(r.figures)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.carry(c)
		}
	}()
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		r.lock.Lock()
		say(r.figures)
		r.lock.Unlock()
	}
	return nil
}

type thief struct {
	setup
	lock sync.Mutex
	figures
}

func (r *thief) carry(down net.Conn) {
	defer down.Close()
	up, err := net.Dial("tcp", r.Up)
	if err != nil {
		r.lock.Lock()
		r.Failed = err.Error()
		r.lock.Unlock()
		return
	}
	go func() {
		io.Copy(down, up)
		down.Close()
	}()
	defer up.Close()
	in := bufio.NewReaderSize(down, 4096)
	for {
		packet, err := whole(in)
		if err != nil {
			return
		}
		if r.loses(packet) {
			continue
		}
		if _, err := up.Write(packet); err != nil {
			return
		}
	}
}

// loses counts a PUBLISH, and reports whether it is one to lose.
func (r *thief) loses(packet []byte) bool {
	if packet[0]>>4 != 3 {
		return false
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	r.Messages[min(2, packet[0]>>1&3)]++
	if r.Lose == 0 || r.all()%int64(r.Lose) != 0 {
		return false
	}
	r.Lost++
	return true
}

// whole reads one packet.
func whole(in *bufio.Reader) ([]byte, error) {
	for n := 2; ; n++ {
		head, err := in.Peek(n)
		if err != nil {
			return nil, err
		}
		before, size, err := length(head)
		if err != nil {
			return nil, err
		}
		if before > 0 {
			packet := make([]byte, before+size)
			_, err := io.ReadFull(in, packet)
			return packet, err
		}
	}
}
