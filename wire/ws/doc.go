// Package ws is the WebSocket protocol (RFC 6455) on the wire: frames, the opening handshake of both sides, and a connection that carries
// a stream of bytes in binary messages, as MQTT wants it (MQTT 5.0 section 6).
//
// Every length is bounded, so that a hostile peer can neither fill memory nor keep a reader busy with empty frames.
package ws
