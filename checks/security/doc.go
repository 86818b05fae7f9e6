// Package security holds the checks of one risk: security. Somebody else reads, speaks for, or takes over the product: through a
// certificate that nobody checked, a shared secret, or a topic that was open to all.
package security

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "security",
	Title: "Security",
	Plain: "Somebody else reads, speaks for, or takes over the product: through a certificate that nobody checked, a shared secret, or a topic that was open to all.",
	Checks: []*check.Check{
		TLSGood,
		TLSWrongHost,
		TLSCNSANMismatch,
		TLSCNOnly,
		TLSWildcardBounds,
		TLSSuffixName,
		TLSNULInSAN,
		TLSSelfSigned,
		TLSUntrustedCA,
		TLSReplacedKey,
		TLSLeafAsCA,
		TLSOtherOwner,
		TLSMissingIntermediate,
		TLSChainOrder,
		TLSIntermediateConstraints,
		TLSClientOnlyUsage,
		TLSCriticalExtension,
		TLSWeakCertificate,
		TLSRevoked,
		TLSLargeCertificate,
		TLSVersionFloor,
		TLSWeakCipher,
		TLSCipherOffer,
		TLSServerName,
		TLSClientCertificate,
		TLSNoData,
		TLSNoPlainFallback,
		BrokerAnonymous,
		BrokerACL,
		BrokerClientIDBinding,
		SubscriptionScope,
		HTTPRedirectDowngrade,
		HTTPRedirectCredentials,
		ArtefactReadable,
		EmptyPassword,
		CertificateWeak,
		CertificateAuthority,
	},
}
