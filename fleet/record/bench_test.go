package record

import (
	"bytes"
	"crypto/tls"
	"runtime"
	"testing"
)

var suites = []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256}

// made is a session whose secrets are all the same byte.
func made(suite uint16, client, server byte) *Session {
	hash, _ := sizes(suite)
	s, err := NewSession(suite, bytes.Repeat([]byte{client}, hash), bytes.Repeat([]byte{server}, hash))
	if err != nil {
		panic(err)
	}
	return s
}

// pair is a client and its server.
func pair(suite uint16) (client, server *Session) { return made(suite, 1, 2), made(suite, 2, 1) }

// BenchmarkRecord seals and opens records of 200 bytes, of 500 connections in turn: with a cipher made for each record, and with those of
// all sessions ready.
func BenchmarkRecord(b *testing.B) {
	plain := bytes.Repeat([]byte("0123456789"), 20)
	for _, suite := range suites {
		for _, ciphers := range []*Ciphers{nil, NewCiphers(1000)} {
			name := tls.CipherSuiteName(suite) + "/made"
			if ciphers != nil {
				name = tls.CipherSuiteName(suite) + "/kept"
			}
			run := func(what string, open bool) {
				b.Run(name+"/"+what, func(b *testing.B) {
					var clients, servers [500]*Session
					for i := range clients {
						clients[i], servers[i] = pair(suite)
						clients[i].Keep(ciphers)
						servers[i].Keep(ciphers)
					}
					buf := make([]byte, 0, 300)
					b.ReportAllocs()
					for i := 0; b.Loop(); i = (i + 7) % len(clients) {
						buf = clients[i].Seal(buf[:0], plain)
						if !open {
							continue
						}
						if _, _, err := servers[i].Open(buf); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			run("seal", false)
			run("seal+open", true)
		}
	}
}

// BenchmarkIdle tells how much of the heap a session takes, between 5,000 and 15,000 of them that have all been used.
func BenchmarkIdle(b *testing.B) {
	for _, suite := range suites {
		b.Run(tls.CipherSuiteName(suite), func(b *testing.B) {
			for b.Loop() {
				few, many := heap(suite, 5000), heap(suite, 15000)
				b.ReportMetric(float64(many-few)/10000, "B/session")
			}
		})
	}
}

// heap is what n sessions take that use the ciphers of one event loop.
func heap(suite uint16, n int) int64 {
	ciphers := NewCiphers(512)
	sessions := make([]*Session, n)
	before := inUse()
	for i := range sessions {
		sessions[i] = made(suite, 1, 2)
		sessions[i].Keep(ciphers)
		sessions[i].Seal(nil, []byte("x"))
	}
	after := inUse()
	runtime.KeepAlive(sessions)
	runtime.KeepAlive(ciphers)
	return after - before
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
