// Package capture writes what passes on a link to a file that Wireshark and tcpdump read (pcapng), stamped with device time.
//
// What is recorded may be secret, so by default only that is kept which cannot hold a secret or hides it: headers, what is encrypted (TLS
// and DTLS records) and protocols that carry no secrets (DNS, DHCP, NTP, mDNS, SSDP). The payload of everything else is blanked: its
// bytes are zero, its length stays. A capture is bounded in size; what comes later is counted only.
package capture
