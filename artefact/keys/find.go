package keys

import (
	"cmp"
	"slices"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// mark is bytes that stand in every key or certificate of a sort, and what reads one around them.
type mark struct {
	bytes string
	read  func(data []byte, at int) (Item, bool) // the mark is at data[at:]
}

// marks are all of them. Those of DER hold the length of a part that all keys of that size share, so that they are four bytes or more.
var marks = []mark{
	{"-----BEGIN ", readPEM},
	{search.Wide("-----BEGIN "), readWidePEM},
	{"\x02\x01\x00\x02", readRSA},             // RSAPrivateKey: version 0, modulus
	{"\x02\x01\x00\x30", readPKCS8},           // PrivateKeyInfo: version 0, algorithm
	{"\x02\x01\x01\x30", readPKCS8},           // OneAsymmetricKey: version 1, algorithm
	{"\x02\x01\x01\x04", readEC},              // ECPrivateKey: version 1, key
	{"\xa0\x03\x02\x01", readCertificate},     // TBSCertificate: version
	{"\x86\x48\x86\xf7\x0d\x01\x01", readOID}, // 1.2.840.113549.1.1: of a certificate without a version, or of a public key
	{"\x86\x48\xce\x3d\x02\x01", readOID},     // 1.2.840.10045.2.1, ecPublicKey
	{"\x06\x03\x2b\x65\x70\x03\x21", readOID}, // 1.3.101.112, id-Ed25519, and the string behind it
	{"\x82\x01\x0a\x02\x82", readRSAPublic},   // RSAPublicKey of 2048 bits
	{"\x82\x01\x8a\x02\x82", readRSAPublic},   // of 3072
	{"\x82\x02\x0a\x02\x82", readRSAPublic},   // of 4096
	{"\x81\x89\x02\x81\x81", readRSAPublic},   // of 1024
	{"openssh-key-v1\x00", readOpenSSH},       // the key without its PEM
	{"\x00\x00\x00\x07ssh-rsa\x00", readDropbear},
	{"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x40", readDropbear},
	{"\x00\x00\x00\x13ecdsa-sha2-nistp", readDropbear},
	{"ssh-rsa AAAA", readSSHPublic},
	{"ssh-ed25519 AAAA", readSSHPublic},
	{"ecdsa-sha2-nistp", readSSHPublic},
	{"IBAAKCAQEA", readBase64},                 // RSAPrivateKey of 2048 bits
	{"IBAAKCAYEA", readBase64},                 // of 3072
	{"IBAAKCAgEA", readBase64},                 // of 4096
	{"IBADANBgkqhkiG9w0BAQEFAASC", readBase64}, // PrivateKeyInfo of RSA
	{"MIGHAgEAMBMGByqGSM49", readBase64},       // of P-256
	{"MC4CAQAwBQYDK2VwBCIEI", readBase64},      // of Ed25519
}

// Patterns are what has to be looked for, for Read. Their ids count from first on.
func Patterns(first int) (list []search.Pattern) {
	for i, m := range marks {
		list = append(list, search.Pattern{Bytes: m.bytes, ID: first + i})
	}
	return list
}

// Read reads what is around a hit at data[at:] of the pattern with that id, with the first id taken off.
func Read(pattern int, data []byte, at int) (Item, bool) { return marks[pattern].read(data, at) }

// Find reads all items in data.
func Find(data []byte) (items []Item) {
	searcher.Each(data, func(id, at int) {
		if item, ok := Read(id, data, at); ok {
			items = append(items, item)
		}
	})
	return Sort(items)
}

var searcher = search.New(Patterns(0))

// Sort puts items in the order in which they lie, and drops those that lie in another: the public key of a certificate, the key in its
// envelope.
func Sort(items []Item) []Item {
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.End, a.End), cmp.Compare(rank(a), rank(b)))
	})
	end := int64(-1)
	return slices.DeleteFunc(items, func(i Item) bool {
		if i.End <= end {
			return true
		}
		end = i.End
		return false
	})
}

func rank(i Item) int {
	switch {
	case i.Private != nil:
		return 0
	case i.Cert != nil:
		return 1
	}
	return 2
}
