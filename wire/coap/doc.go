// Package coap encodes and decodes CoAP messages over UDP (RFC 7252) with the options of RFC 7641 (observe), RFC 7959 (block-wise
// transfer) and RFC 9175 (Echo, Request-Tag).
//
// Decode and DecodeLenient judge the format of a message: what breaks it is a message format error, for which a receiver rejects the
// whole message. Message.Faults judges what a well-formed message says: an option with a value of a wrong length, a reset that is not
// empty. What is encoded is what the fields say, legal or not; Illegal lists the ways to be wrong that the fields cannot say.
package coap
