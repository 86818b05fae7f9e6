// Package record is the record layer of TLS 1.3 (RFC 8446) for a client that has very many connections, most of them idle.
//
// crypto/tls does the handshake, and all that is hard about it: certificates, groups, signatures, resumption. A tls.Conn then keeps some
// 20 KB for as long as the connection lives. Handshake takes the traffic secrets from it (its key-log writer is public for that), makes a
// Session of them, which is less than 300 bytes, and lets it go:
//
//	done, err := record.Handshake(ctx, conn, cfg)
//	// … done.Conn != nil: the server speaks TLS 1.2, whose record layer stays crypto/tls
//	s := done.Session
//	conn.Write(s.Seal(nil, request))
//	n, _ := conn.Read(buf)
//	plain, used, err := s.Open(buf[:n]) // keeps buf[used:n] for the next time
//	conn.Write(s.Close(nil, nil))
//
// A Session never reads, writes or waits. It has no buffer: Open decrypts in place in a buffer that many sessions share, and what is not a
// whole record yet is kept by the caller. It is not safe for concurrent use.
//
// # Ciphers
//
// Go's AES-GCM keeps 1.3 KB of tables for each key, and takes three times as long to make them as to seal a small record with them. A
// Session keeps the keys alone and makes a cipher for each record, or, where sessions Keep to the Ciphers of their event loop, those that
// were used last have theirs ready.
//
// # Resumption
//
// A ticket is of use only to crypto/tls, and only a tls.Conn can turn it into what a tls.ClientSessionCache holds, since the secret that
// belongs to it is not given out. So, if the configuration has a cache, the tls.Conn lives on beside the Session until the first record of
// application data comes: Open shows it a copy of every handshake record before that. This is when the servers in use (OpenSSL,
// crypto/tls, BoringSSL, rustls) send their tickets. A ticket that comes later is skipped; so are all without a cache.
//
// # Key updates
//
// A server that asks for new keys gets them with the next Seal, which is what RFC 8446, section 4.6.3, asks for. Seal also changes keys by
// itself long before the limits of section 5.5.
package record
