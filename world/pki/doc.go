// Package pki stands in for the certificate authorities of a product: it issues what the broker and the cloud present to a
// device, from the right certificate to every wrong one that a device has to refuse.
//
// The device is given one file of trusted roots, [Authority.RootsPEM]. Three roots are in it: R1, which issues the ordinary server
// certificate through an intermediate; R2, the second root that the maker promises for the day R1 retires; and R0, which has already
// expired. Old roots do stay in the CA files of products, and a device that stops at the expired one, although a cross-signed
// way around it is offered, goes dark on the day of expiry. (OpenSSL 3.0 is one: it refuses [RootExpiredCrossSigned] as long as R0 is
// in the CA file, and accepts [CrossSignedByExpired].) A fourth authority, unknown to the device as a server's, issues
// device certificates ([Authority.Client]).
//
// A [Case] is one thing that a server can present. Each case differs from [Good] in one property only, so that a refusal has one
// explanation. The names of bad intermediates and of other hosts say what they are, for whoever reads a capture. The one exception
// is [UntrustedCA], an impostor that copies the names and the key identifiers of the real authority: everything fits but the signatures.
//
// Nothing about a server is kept: every call issues a new certificate for a new key, valid relative to the clock that was handed to [New].
// A stand-in that asks for one at each handshake presents "expired an hour ago" also after the clock has jumped. The authorities
// themselves are made once, by New, and live from two years before to ten years after it (R0 excepted). RSA keys are
// made when first needed and once per process, because one of 4096 bits takes seconds.
//
// Keys, serial numbers and signatures come from crypto/rand and not from the seed of the run: no judgement depends on their value.
//
// Where crypto/x509 refuses to issue a certificate (a SHA-1 signature), it is signed here by hand. What crypto/tls presents is not
// checked by it: a server can offer a chain that is broken and a private key that does not belong to the certificate.
package pki
