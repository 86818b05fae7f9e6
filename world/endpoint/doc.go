// Package endpoint is where a part connects to: connections from a link, TLS as a check scripts it or none, then a stand-in's handler.
//
// The ClientHello is read by a parser of our own before crypto/tls sees it, so that what the part offers is known even when the
// handshake fails or is never tried. Each way to misbehave is one method that returns its undo; the latest one in force counts, for
// connections from then on.
package endpoint
