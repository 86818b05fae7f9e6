package testbed

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
)

// Ports for parts that listen by themselves come from below the range from which kernels take ports for connections (RFC 6335 calls
// that one dynamic; Linux begins at 32768), each is handed out once, and processes begin at different places: between the moment
// at which a port is found free and the one at which the part listens on it, nobody else should take it.
const (
	firstPort = 20000
	manyPorts = 12000
)

var handedOut atomic.Uint32

// freePort is a port of the loopback that nothing listens on.
func freePort() (int, error) {
	for range manyPorts {
		port := firstPort + (os.Getpid()*97+int(handedOut.Add(1)))%manyPorts
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("no port of the loopback from 20000 to 31999 is free")
}
