// Package cloud is the reference product's cloud: an MQTT endpoint for devices, which keeps them apart, a consumer that keeps their
// last state, and an HTTP API for the app of their owners. It is small and whole, and every defect of a broker can be planted in it.
package cloud
