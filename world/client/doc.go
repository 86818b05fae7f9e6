// Package client plays devices and users against a real broker: a scripted MQTT client that sends what it is told, legal or not, and
// keeps what comes back. All packets are events of the job: In are those of the broker, which is the part under test, Out are ours.
package client
