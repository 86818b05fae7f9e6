//go:build !unix

package link

import (
	"fmt"
	"net"
)

// Reserve takes a TCP port of this machine, that of address or a free one when its port is 0. Here nothing keeps it while no listener has
// it.
func Reserve(address string) (listen Listen, release func(), err error) {
	first, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("reserve a port: %w", err)
	}
	at := first.Addr().String()
	return func() (net.Listener, error) {
		if l := first; l != nil {
			first = nil
			return l, nil
		}
		return net.Listen("tcp", at)
	}, func() {}, nil
}
