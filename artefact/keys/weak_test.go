package keys

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
)

func TestWeak(t *testing.T) {
	roca := big.NewInt(1)
	m := big.NewInt(1)
	for _, p := range rocaPrimes {
		m.Mul(m, big.NewInt(p))
	}
	// k·M + (65537^a mod M), as the library made its primes; the product of two of them has the same residues.
	one, two := new(big.Int).Exp(big.NewInt(65537), big.NewInt(12345), m), new(big.Int).Exp(big.NewInt(65537), big.NewInt(999), m)
	one.Add(one, new(big.Int).Mul(m, new(big.Int).Lsh(big.NewInt(3), 900)))
	two.Add(two, new(big.Int).Mul(m, new(big.Int).Lsh(big.NewInt(7), 1050)))
	roca.Mul(one, two)
	for name, c := range map[string]struct {
		key  *Key
		want string
	}{
		"RSA 2048":         {rsaKey(made.rsa.N, big.NewInt(65537)), ""},
		"exponent 3":       {rsaKey(made.rsa.N, big.NewInt(3)), "exponent 3"},
		"RSA 1024":         {&Key{Kind: "RSA", Bits: 1024, N: made.rsa.N, E: big.NewInt(65537)}, "1024 bits"},
		"ROCA":             {&Key{Kind: "RSA", Bits: 2048, N: roca, E: big.NewInt(65537)}, "ROCA"},
		"P-192":            {&Key{Kind: "EC", Bits: 192, Curve: "P-192"}, "P-192"},
		"P-256":            {&Key{Kind: "EC", Bits: 256, Curve: "P-256"}, ""},
		"Ed25519":          {&Key{Kind: "Ed25519"}, ""},
		"brainpoolP256r1":  {&Key{Kind: "EC", Bits: 256, Curve: "brainpoolP256r1"}, ""},
		"DSA, and nothing": {&Key{Kind: "DSA"}, "DSA"},
	} {
		if got := c.key.Weak(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestShared(t *testing.T) {
	var p [7]*big.Int
	for i := range p {
		p[i], _ = rand.Prime(rand.Reader, 256)
	}
	n := func(i, j int) *big.Int { return new(big.Int).Mul(p[i], p[j]) }
	all := []*big.Int{n(0, 1), n(2, 3), n(1, 4), n(5, 6), n(0, 1)}
	got := Shared(all)
	if len(got) != 2 || got[0].Cmp(all[0]) != 0 || got[1].Cmp(all[2]) != 0 {
		t.Errorf("%d of 5 are said to share a prime, want the first and the third", len(got))
	}
	if Shared(all[:1]) != nil || Shared(nil) != nil || Shared([]*big.Int{all[1], all[3], big.NewInt(0)}) != nil {
		t.Error("keys are said to share a prime that do not")
	}
}

func TestKnown(t *testing.T) {
	spki, err := hex.DecodeString("3059301306072a8648ce3d020106082a8648ce3d03010703420004" +
		"2acb403ce8feed5ba44995a1a91daee8dbbe1937cd14fb2f245737e5953988d9" + "94b9d65aebd7cdd5308ad6fe48b24a6a810ee5f07d8b6834cc3a6afc538efac1")
	if err != nil {
		t.Fatal(err)
	}
	items := Find(append(noise(64), spki...))
	if len(items) != 1 || !strings.Contains(items[0].Public.Key.Known(), "MCUboot") {
		t.Errorf("the sample key of MCUboot is not known: %+v", items)
	}
	if (&Key{SPKI: []byte("x")}).Known() != "" || (*Key)(nil).Known() != "" {
		t.Error("another key is known")
	}
}
