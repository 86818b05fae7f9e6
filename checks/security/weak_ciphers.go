package security

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// WeakCiphers counts the old ciphers that programs call.
var WeakCiphers = &check.Check{
	ID:       "security.weak-ciphers",
	Title:    "Calls no cipher or digest that is broken",
	Why:      "DES, RC4, MD4 and block ciphers in ECB mode protect nothing any more. What they hide can be read, and some of it forged.",
	Pass:     "no program calls DES, RC4, RC2, Blowfish, MD4 or a cipher in ECB mode, and no image without files holds a table of DES or RC2",
	Fix:      "Use AES-GCM or ChaCha20-Poly1305; where an old protocol needs the old cipher, say so in the product file.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.5-1", "CRA:I.2e", "ISTG:FW-CRYPT-001"},
	Rows:         []string{"FW-CRYPT-WEAK"},
	Sources:      []string{"RFC 7465 (RC4), RFC 6150 (MD4), NIST SP 800-131A (DES), SP 800-38A (ECB)"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("programs or images without files", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		for _, c := range f.CipherTables {
			t.Record("%s holds a table of %s at %#x", c.Node.Path(), c.Algorithm, c.At)
		}
		var programs []artefact.Binary
		for _, b := range f.Binaries {
			if b.Program && b.Known {
				programs = append(programs, b)
			}
		}
		if len(f.Binaries) > 0 || f.Root.Format == "" && f.Root.Leaf() {
			return len(programs), judgeCiphers(programs)
		}
		looked := 0
		for n := range f.Root.All() {
			if n.File != nil {
				return 0, nil
			}
			if n.Leaf() && n.Size() > 0 {
				looked = 1
			}
		}
		return looked, judgeCipherTables(f.CipherTables)
	}),
}

// weakCiphers are functions of the common libraries, by algorithm. One that ends with * is the beginning of names.
var weakCiphers = []struct {
	algorithm string
	functions []string
}{
	{"DES or triple DES", []string{"DES_*", "EVP_des_*", "mbedtls_des_*", "mbedtls_des3_*", "des_setkey*", "wc_Des_*", "wc_Des3_*"}},
	{"RC4", []string{"RC4", "RC4_*", "EVP_rc4*", "mbedtls_arc4_*", "arc4_setup", "wc_Arc4*"}},
	{"RC2", []string{"RC2_*", "EVP_rc2_*"}},
	{"Blowfish", []string{"BF_*", "EVP_bf_*", "mbedtls_blowfish_*"}},
	{"MD4", []string{"MD4", "MD4_*", "EVP_md4", "mbedtls_md4*"}},
	{"AES in ECB mode", []string{"AES_ecb_encrypt", "EVP_aes_128_ecb", "EVP_aes_192_ecb", "EVP_aes_256_ecb", "mbedtls_aes_crypt_ecb", "wc_AesEcb*"}},
}

// judgeCiphers finds programs that call them.
func judgeCiphers(programs []artefact.Binary) (findings []check.Finding) {
	for _, c := range weakCiphers {
		var users []artefact.Binary
		for _, b := range programs {
			if slices.ContainsFunc(b.Linked.Imports, func(name string) bool { return named(c.functions, name) }) {
				users = append(users, b)
			}
		}
		if len(users) > 0 {
			findings = append(findings, check.Finding{
				Title: "Calls " + c.algorithm,
				Seen:  fmt.Sprintf("%d programs: %s", len(users), check.Places(artefact.Nodes(users))),
			})
		}
	}
	return findings
}

func named(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		start, ok := strings.CutSuffix(p, "*")
		return name == p || ok && strings.HasPrefix(name, start)
	})
}

// judgeCipherTables finds the tables of ciphers in an image of which the calls are not known.
func judgeCipherTables(all []artefact.CipherTable) (findings []check.Finding) {
	for _, c := range all {
		if c.Algorithm == "DES" || c.Algorithm == "RC2" {
			findings = append(findings, check.Finding{
				Title: "Holds the tables of " + c.Algorithm,
				Seen:  fmt.Sprintf("a table of %s is at %#x of %s", c.Algorithm, c.At, c.Node.Path()),
			})
		}
	}
	return findings
}
