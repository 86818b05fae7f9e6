// Package expiry holds the checks of one risk: expiry of certificates and credentials. Certificates, keys and tokens end on a
// day that is known years before, and products end with them.
package expiry

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "expiry",
	Title: "Expiry of certificates and credentials",
	Plain: "Certificates, keys and tokens end on a day that is known years before, and products end with them.",
	Checks: []*check.Check{
		CertExpired,
		CertNotYetValid,
		IntermediateExpired,
		RootExpired,
		RootRotation,
		ClientCertificate,
		ClockBoot,
		ClockBlocked,
		ClockRollover,
		ShippedExpired,
		OwnHorizon,
		AnchorHorizon,
		RootCoverage,
		EndpointRenewal,
		LifetimePolicy,
		ChainEndedMember,
		ChainMissingIntermediate,
		ChainLegacyClient,
		PinIntermediate,
		Calendar,
		ProvisioningProfile,
		AppPins,
	},
}
