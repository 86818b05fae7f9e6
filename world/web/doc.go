// Package web is the HTTP stand-in: a correct HTTP/1.1 server that a check can make misbehave.
//
// It is handed connections, lives in device time and writes every request and answer to the evidence log. It serves the resources that
// it was given, with ETag, conditional requests and byte ranges (RFC 9110). What a check wants to be otherwise it says with rules
// ([Server.When]): each gives a [Response], which says down to the byte what goes over the wire, also what no correct server sends.
//
// Requests are read by wire/http1, which bounds them. Tokens in Authorization are known to checks and blanked in what is written.
package web
