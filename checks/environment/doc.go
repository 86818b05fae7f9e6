// Package environment holds the checks of one risk: real environments. Home routers, hotel portals, crowded air and slow links
// do what no lab network does: they lose, delay, hide and forget.
package environment

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "environment",
	Title: "Real environments",
	Plain: "Home routers, hotel portals, crowded air and slow links do what no lab network does: they lose, delay, hide and forget.",
	Checks: []*check.Check{
		DhcpRetry,
		DhcpRenew,
		DhcpNak,
		DhcpExpired,
		DhcpOptions,
		DhcpConflict,
		DNSTTL,
		DNSMultiA,
		DNSFailover,
		DNSFailing,
		DNSAnswers,
		DNSSpoof,
		DNSMalformed,
		DNSGuess,
		DNSHardcoded,
		DNSRate,
		SNTPRequest,
		SNTPRate,
		SNTPKiss,
		SNTPName,
		MdnsAnnounce,
		MdnsConflict,
		MdnsGoodbye,
		MdnsNoperiodic,
		MulticastOff,
		UpnpExposure,
		UpnpRemoves,
		UpnpOtherPort,
		UpnpRenews,
		UpnpAbsent,
		UpnpRefused,
		UpnpGarbage,
		LinkLoss,
		LinkLatency,
		LinkBandwidth,
		LinkReorderDup,
		LinkFlap,
		Mtu1492,
		MtuBlackhole,
		UnsettledNetwork,
	},
}
