// Package mdns plays a neighbour in the home network that speaks multicast DNS (RFC 6762) and DNS-SD (RFC 6763), and watches what others
// say.
//
// A Responder has a socket in the group. It answers for the names that it was given, asks, and can claim a name that is another's. An
// Observer has a link of its own into the network and reads whole frames, because a check needs the IP TTL and what no socket would hand
// over. Both report to the log: what comes from others is of kind In, what the Responder sends of kind Out, what does not decode of kind
// Bad; Data is a *Packet.
//
// What comes from the network may be hostile: packets are bounded in size and in the number of records that are kept.
package mdns
