// Package http1 reads HTTP/1.x requests (RFC 9112) from a part that may be hostile: every length is bounded, and what is wrong is said
// in words. It writes the fields of messages as they are told, right or wrong.
package http1
