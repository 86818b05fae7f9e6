// Package device is the firmware of the reference product: a battery-backed thermostat that speaks MQTT 5.0 or 3.1.1 over TLS.
//
// It is written as such firmware should be, so that a clean one passes every check. Each defect that can be planted in it is a
// small branch on has("name") at the place where a real product would go wrong.
//
// One goroutine owns everything (loop.go): the settings, the MQTT session and the connection. Two others serve it: one dials, one
// reads packets. What an incoming packet changes is on disk before the acknowledgement leaves.
package device
