package ws

import (
	"net"
	"time"
)

// The rest of a net.Conn is that of the connection beneath.

// NetConn is the connection beneath.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Close ends the connection beneath, without a close frame.
func (c *Conn) Close() error { return c.nc.Close() }

// CloseWrite sends a close frame: the peer answers it and ends the connection.
func (c *Conn) CloseWrite() error { return c.SendClose(Normal, "") }

// LocalAddr is that of the connection beneath.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr is that of the connection beneath.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// SetDeadline is that of the connection beneath.
func (c *Conn) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// SetReadDeadline is that of the connection beneath.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// SetWriteDeadline is that of the connection beneath.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.nc.SetWriteDeadline(t) }
