//go:build !linux

package link

import "net"

// sendApart writes b at once. Without the kernel's help segments can be joined when the part acknowledges slowly.
func sendApart(raw net.Conn, b []byte) (int, error) { return raw.Write(b) }
