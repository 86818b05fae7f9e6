// Package sensor is the second device of the reference product: a battery-powered room sensor that reports by CoAP over UDP or DTLS
// (RFC 7252, 7641, 7959, 9146). It posts its readings, gets its configuration block by block after its start, observes its settings,
// and serves a small tree of its own: /.well-known/core, /state, which can be observed, and /identify.
//
// It is product code, and correct; defects can be planted in it by name (Config.Defects). Each is a small deviation where has asks for
// it.
package sensor
