// Package origin is the CoAP stand-in: an origin server (RFC 7252, with observe and block-wise transfer) over UDP or DTLS that a check
// can make misbehave, and that speaks to servers as a client too.
//
// It is given its packet connection, lives in device time and writes every message to the evidence log: In and Out events whose Data is
// a *coap.Message and whose Conn is the number of the peer. What a check wants to be otherwise it says with rules (Server.When), which
// see each message before the server handles or sends it, or with the Path, through which all datagrams go: a NAT that forgets, a
// small MTU, silence. Without rules the server does what the standards say.
//
// Against a hostile peer there are limits on peers, sessions, stored answers, observers and bodies.
package origin
