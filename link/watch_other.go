//go:build !linux

package link

import (
	"errors"
	"net"
)

// CanWatchRefused says whether WatchRefused works here. It needs Linux and CAP_NET_RAW.
func CanWatchRefused() bool { return false }

// WatchRefused is not possible on this system.
func WatchRefused(int, func(from net.Addr)) (stop func(), err error) {
	return nil, errors.ErrUnsupported
}
