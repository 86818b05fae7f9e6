// Package upnp plays the Internet Gateway Device of a home router (UPnP Device Architecture 1.1; WANIPConnection:1 and :2): discovery by
// SSDP, a description, and the SOAP actions that open ports. It runs on the host of an internet.Router, is heard only in that router's
// network, and really opens ports of it.
//
// Real ones are famous for their inconsistency, so a Gateway's Behaviour can be changed while it runs: absent, refusing, mapping another
// port, ignoring leases, pointing elsewhere, slow, speaking garbage. Router.Reboot makes it forget, because what it knows of a mapping
// ends with the router's port.
//
// Searches and actions go to the log: Data is a *Search or a *Call. What comes is bounded: datagrams of 2 KiB, bodies of 16 KiB, XML of 8
// levels and 32 arguments, 64 mappings.
package upnp
