package keys

import (
	"fmt"
	"math/big"
	"slices"
	"sync"
)

// Weak says why a key does not protect; empty: nothing is known against it.
func (k *Key) Weak() string {
	switch {
	case k.Kind == "RSA" && k.Bits < 2048:
		return fmt.Sprintf("RSA of %d bits: 2048 are the least since 2013 (NIST SP 800-131A)", k.Bits)
	case k.Kind == "RSA" && k.Fingerprinted():
		return "RSA key made by the library of Infineon that CVE-2017-15361 (ROCA) is about: it can be computed from its public half"
	case k.Kind == "RSA" && k.E.IsInt64() && k.E.Int64() == 3:
		return "RSA with the exponent 3: a mistake in the padding lets signatures be forged"
	case k.Kind == "EC" && k.Bits < 224:
		return "EC " + k.Curve + ": less than 112 bits of security (NIST SP 800-131A)"
	case k.Kind == "DSA":
		return "DSA: no longer approved since FIPS 186-5"
	}
	return ""
}

// rocaPrimes are the small primes modulo which every such modulus is a power of 65537.
var rocaPrimes = []int64{
	11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
}

// powers are the residues that are powers of 65537, by prime.
var powers = sync.OnceValue(func() map[int64]map[int64]bool {
	all := map[int64]map[int64]bool{}
	for _, p := range rocaPrimes {
		all[p] = map[int64]bool{}
		for v := int64(1); !all[p][v]; v = v * 65537 % p {
			all[p][v] = true
		}
	}
	return all
})

// Fingerprinted tells the keys of CVE-2017-15361 (Nemec and others: The Return of Coppersmith's Attack, ACM CCS 2017, section 3.1). By
// chance a modulus looks like one of them once in 2^27.
func (k *Key) Fingerprinted() bool {
	if k.Kind != "RSA" || k.N == nil {
		return false
	}
	for p, residues := range powers() {
		if !residues[new(big.Int).Mod(k.N, big.NewInt(p)).Int64()] {
			return false
		}
	}
	return true
}

// Shared finds the moduli that have a prime in common with another one, by the product of all (Bernstein: How to find the factors of
// many numbers at once). Equal moduli are one.
func Shared(moduli []*big.Int) []*big.Int {
	var list []*big.Int
	seen := map[string]bool{}
	for _, n := range moduli {
		if key := n.Text(62); !seen[key] && n.Sign() > 0 {
			seen[key] = true
			list = append(list, n)
		}
	}
	if len(list) < 2 {
		return nil
	}
	levels := [][]*big.Int{list} // of the tree of products, the leaves first
	for len(levels[len(levels)-1]) > 1 {
		var up []*big.Int
		for pair := range slices.Chunk(levels[len(levels)-1], 2) {
			product := pair[0]
			if len(pair) == 2 {
				product = new(big.Int).Mul(pair[0], pair[1])
			}
			up = append(up, product)
		}
		levels = append(levels, up)
	}
	rest := levels[len(levels)-1]
	for i := len(levels) - 2; i >= 0; i-- { // down again: the product modulo the square of each
		next := make([]*big.Int, len(levels[i]))
		for j, n := range levels[i] {
			next[j] = new(big.Int).Mod(rest[j/2], new(big.Int).Mul(n, n))
		}
		rest = next
	}
	var shared []*big.Int
	for j, n := range list {
		if g := new(big.Int).GCD(nil, nil, new(big.Int).Div(rest[j], n), n); g.Cmp(big.NewInt(1)) != 0 {
			shared = append(shared, n)
		}
	}
	return shared
}
