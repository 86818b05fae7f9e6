package pki

import "crypto/tls"

// Case is one thing that a server can present. Its value is a short name, fit for evidence and for file names.
type Case string

// The cases, in the order of [Cases]. "Right name" means the name that was asked for.
const (
	Good Case = "good" // the right name, issued by R1 through an intermediate: what every other case is compared with

	Expired1h   Case = "expired-1h"    // the leaf expired one hour ago
	Expired1y   Case = "expired-1y"    // the leaf expired one year ago
	NotYetValid Case = "not-yet-valid" // the leaf becomes valid in 24 hours

	WrongHost          Case = "wrong-host"            // CN and SAN are those of another host
	CNMatchSANMismatch Case = "cn-match-san-mismatch" // CN right, SAN another host's (RFC 9525 6.4); none for names above 64 octets
	CNOnly             Case = "cn-only"               // CN right, no SAN at all; none for names above 64 octets
	WildcardBare       Case = "wildcard-bare"         // SAN "*"; needs a DNS name of two labels, because by the letter it matches one of one label
	WildcardTLD        Case = "wildcard-tld"          // SAN "*.test"; needs three labels, because by RFC 9525 6.3 it does match two
	WildcardPartial    Case = "wildcard-partial"      // SAN "b*.x.test" for broker.x.test; needs two labels (RFC 9525 6.3)
	SuffixName         Case = "suffix-name"           // SAN is the right name followed by ".evil.test"
	NulInSAN           Case = "nul-in-san"            // SAN is the right name, a NUL, and ".evil.test"

	SelfSigned    Case = "self-signed"     // right name, signed by its own key
	UntrustedCA   Case = "untrusted-ca"    // from an impostor with the subjects and key identifiers of the real authority, root included in the chain
	ReplacedKey   Case = "replaced-key"    // the good chain, but the server signs with another key: even a client that verifies no certificate sees a bad signature in the handshake
	LeafAsCA      Case = "leaf-as-ca"      // right name, signed by the valid leaf (CA:FALSE) of another host
	OtherRealCert Case = "other-real-cert" // a faultless certificate of another owner's host

	MissingIntermediate        Case = "missing-intermediate"         // the leaf alone
	UnorderedChain             Case = "unordered-chain"              // leaf, a stray certificate, then two intermediates in the wrong order (allowed by RFC 8446 4.4.2)
	IntermediateExpired        Case = "intermediate-expired"         // the intermediate expired yesterday
	IntermediatePathLen        Case = "intermediate-path-len"        // an authority below one with pathLen 0 (RFC 5280 4.2.1.9)
	IntermediateNameConstraint Case = "intermediate-name-constraint" // the intermediate may only issue for other names (RFC 5280 4.2.1.10)
	IntermediateNoCertSign     Case = "intermediate-no-cert-sign"    // the intermediate lacks keyCertSign (RFC 5280 4.2.1.3)
	RootExpiredCrossSigned     Case = "root-expired-cross-signed"    // below the expired R0, with R0's key certified by R1 in the chain: valid by that path
	CrossSignedByExpired       Case = "cross-signed-by-expired"      // below R1, with R1's key certified by the expired R0 in the chain, as with DST Root X3 in 2021: valid by the root R1 itself
	RootExpiredOnly            Case = "root-expired-only"            // below the expired R0, with no other path
	SecondRoot                 Case = "second-root"                  // from R2, the root promised for later

	ClientAuthOnly    Case = "client-auth-only"   // extended key usage clientAuth only (RFC 5280 4.2.1.12)
	CriticalExtension Case = "critical-extension" // an unknown critical extension, 2.999.1 (RFC 5280 4.2)
	SHA1              Case = "sha1"               // the leaf carries sha1WithRSAEncryption, by an RSA intermediate
	RSA1024           Case = "rsa-1024"           // the leaf's key is RSA of 1024 bits, the smallest that crypto/tls serves without a setting
	OCSPRevoked       Case = "ocsp-revoked"       // good, with a stapled OCSP response "revoked" for those who ask (RFC 6066 8)
	MustStaple        Case = "must-staple"        // the leaf demands a staple (RFC 7633) and there is none

	LargePlus20  Case = "large-plus-20"  // the certificate message is 20 % larger than that of Good, by a filled extension
	Large6K      Case = "large-6k"       // a certificate message of 6144 octets
	Large16K     Case = "large-16k"      // a certificate message of 16384 octets, more than one record once it has company
	LargeSAN1000 Case = "large-san-1000" // 1000 SANs, the right one last: about 30 kB

	ECDSAP256 Case = "ecdsa-p256" // the server's key is ECDSA P-256 (as in Good)
	RSA2048   Case = "rsa-2048"   // the server's key is RSA of 2048 bits
	RSA3072   Case = "rsa-3072"   // the server's key is RSA of 3072 bits
	RSA4096   Case = "rsa-4096"   // the server's key is RSA of 4096 bits
)

// kind is how a case is described and issued.
type kind struct {
	id    Case
	text  string
	issue func(*Authority, *order) (*tls.Certificate, error)
}

var kinds = []kind{
	{Good, "a valid chain for the right name", edited(asIs)},
	{Expired1h, "a certificate that expired one hour ago", edited(expired1h)},
	{Expired1y, "a certificate that expired one year ago", edited(expired1y)},
	{NotYetValid, "a certificate that becomes valid in 24 hours", edited(notYetValid)},
	{WrongHost, "a certificate for another host", edited(wrongHost)},
	{CNMatchSANMismatch, "the right common name, but another host as subject alternative name", edited(cnMatchSANMismatch)},
	{CNOnly, "the right common name without any subject alternative name", edited(cnOnly)},
	{WildcardBare, `a certificate for "*"`, edited(wildcardBare)},
	{WildcardTLD, "a wildcard for a whole top-level domain", edited(wildcardTLD)},
	{WildcardPartial, "a wildcard for a part of the first label", edited(wildcardPartial)},
	{SuffixName, "a name that only begins with the right one", edited(suffixName)},
	{NulInSAN, "the right name, cut off by a NUL from a foreign one", edited(nulInSAN)},
	{SelfSigned, "a self-signed certificate for the right name", selfSigned},
	{UntrustedCA, "a chain from an untrusted authority that bears the trusted one's name", untrustedCA},
	{ReplacedKey, "the right certificate, but another private key", replacedKey},
	{LeafAsCA, "a certificate issued by another host's certificate, which is no authority", leafAsCA},
	{OtherRealCert, "a valid certificate of another owner", edited(otherRealCert)},
	{MissingIntermediate, "the server's certificate without its intermediate", missingIntermediate},
	{UnorderedChain, "a valid chain out of order, with a stray certificate in it", unorderedChain},
	{IntermediateExpired, "a chain whose intermediate has expired", below(expiredIntermediate)},
	{IntermediatePathLen, "a chain longer than an authority in it allows", pathLenExceeded},
	{IntermediateNameConstraint, "a chain whose intermediate may not issue for this name", below(constrainedIntermediate)},
	{IntermediateNoCertSign, "a chain whose intermediate may not sign certificates", below(noCertSignIntermediate)},
	{RootExpiredCrossSigned, "a chain to an expired root, with a valid path around it", rootExpiredCrossSigned},
	{CrossSignedByExpired, "a valid chain that goes on, past a trusted root, to an expired one", crossSignedByExpired},
	{RootExpiredOnly, "a chain to an expired root", rootExpiredOnly},
	{SecondRoot, "a valid chain from the promised second root", secondRoot},
	{ClientAuthOnly, "a certificate that is for clients only", edited(clientAuthOnly)},
	{CriticalExtension, "a certificate with an unknown critical extension", edited(criticalExtension)},
	{SHA1, "a certificate with a SHA-1 signature", sha1Signed},
	{RSA1024, "a certificate with an RSA key of 1024 bits", edited(withKey(rsa1024))},
	{OCSPRevoked, "a revoked certificate, and a stapled answer that says so", ocspRevoked},
	{MustStaple, "a certificate that demands a stapled status, and no status", edited(mustStaple)},
	{LargePlus20, "a valid chain, 20 % larger than usual", largePlus20},
	{Large6K, "a valid chain of 6 kB", padded(6 << 10)},
	{Large16K, "a valid chain of 16 kB", padded(16 << 10)},
	{LargeSAN1000, "a valid certificate for 1000 names", edited(thousandNames)},
	{ECDSAP256, "a valid chain with an ECDSA P-256 server key", edited(asIs)},
	{RSA2048, "a valid chain with an RSA server key of 2048 bits", edited(withKey(rsa2048))},
	{RSA3072, "a valid chain with an RSA server key of 3072 bits", edited(withKey(rsa3072))},
	{RSA4096, "a valid chain with an RSA server key of 4096 bits", edited(withKey(rsa4096))},
}

// Cases are all cases, [Good] first.
func Cases() []Case {
	all := make([]Case, len(kinds))
	for i, k := range kinds {
		all[i] = k.id
	}
	return all
}

// Text says in plain English what is presented, fit to follow "the server presents". It is empty for an unknown case.
func (c Case) Text() string {
	if k := c.kind(); k != nil {
		return k.text
	}
	return ""
}

func (c Case) kind() *kind {
	for i := range kinds {
		if kinds[i].id == c {
			return &kinds[i]
		}
	}
	return nil
}
