//go:build unix

package link

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestReserve(t *testing.T) {
	listen, release, err := Reserve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	at := first.Addr().String()
	first.Close()
	if _, err := net.Dial("tcp", at); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a reserved port without listener: dial gave %v", err)
	}
	if thief, err := net.Listen("tcp", at); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("somebody else could listen: %v, %v", thief, err)
	}
	again, err := listen()
	if err != nil || again.Addr().String() != at {
		t.Fatalf("listen again: %v", err)
	}
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	again.Close()
	release()
	if l, err := net.Listen("tcp", at); err != nil {
		t.Errorf("after the release: %v", err)
	} else {
		l.Close()
	}
}
