// Package fleet puts a fleet of devices in front of a real endpoint, over kernel sockets, at a small cost for each device. Sends follow an
// open model: a late answer never slows the next send, and latencies count from when a message was meant to be sent. Every message is
// numbered, so that what is lost, doubled, out of order or in wrong hands is counted.
package fleet
