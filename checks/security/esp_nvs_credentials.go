package security

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// ESPNVSCredentials looks for passwords and tokens in key-value stores that anybody can read.
var ESPNVSCredentials = &check.Check{
	ID:       "security.esp-nvs-credentials",
	Title:    "Keeps no credentials readable in the key-value store of its ESP32",
	Why:      "Who holds the device for a minute reads its flash with a clip and a cable. The password of the customer's network, or one that all units share, then belongs to whoever bought the device second-hand.",
	Pass:     "no value of an unencrypted store has a key such as password, psk, token or secret, deleted ones included, and the keys of an encrypted store are not readable beside it",
	Fix:      "Encrypt the store (nvs_flash_secure_init) with its keys in the eFuses or behind flash encryption, and let the factory write no shared credentials.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.4-1", "CRA:I.2e", "ISTG:MEM-SCRT-001"},
	Rows:         []string{"FW-ESP-NVS"},
	Sources:      []string{"ESP-IDF: Non-Volatile Storage Library, NVS Encryption", "our choice: the words that keys are told by"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("key-value stores of ESP32", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		nodes, stores := tree.InfoOf[*mcu.NVS](f.Root)
		var findings []check.Finding
		encrypted := false
		for i, s := range stores {
			findings = append(findings, judgeNVS(nodes[i], s)...)
			encrypted = encrypted || s.Encrypted
		}
		keys, sets := tree.InfoOf[*mcu.ESPNVSKeySet](f.Root)
		for i, k := range sets {
			if k.Readable && encrypted {
				findings = append(findings, check.Finding{
					Title: "Keeps the keys of its encrypted store beside it, readable",
					Seen:  fmt.Sprintf("%s holds two keys that fit their checksum", keys[i].Path()),
				})
			}
		}
		return len(stores), findings
	}),
}

// credentialWords tell a credential by its key, in lower case.
var credentialWords = []string{"passw", "passphrase", "pswd", "pwd", "psk", "secret", "token", "apikey", "api_key", "privkey", "priv_key", "private"}

// credential reports whether a value of a store is one by its key, and there.
func credential(i mcu.NVSItem) bool {
	if i.Type != "string" && i.Type != "blob" || len(i.Value) < 4 {
		return false
	}
	key := strings.ToLower(i.Key)
	named := key == "pass" || strings.HasSuffix(key, "_pass") || strings.HasSuffix(key, ".pass")
	for _, w := range credentialWords {
		named = named || strings.Contains(key, w)
	}
	for _, c := range i.Value[1:] { // an empty field is all zeros or all ones
		if c != i.Value[0] {
			return named
		}
	}
	return false
}

// judgeNVS finds credentials in a store.
func judgeNVS(n *tree.Node, s *mcu.NVS) (findings []check.Finding) {
	for _, deleted := range []bool{false, true} {
		var seen []string
		for _, i := range s.Items {
			if i.Deleted == deleted && credential(i) {
				seen = append(seen, fmt.Sprintf("%s/%s at %#x, %d bytes", i.Namespace, i.Key, i.Offset, len(i.Value)))
			}
		}
		if len(seen) == 0 {
			continue
		}
		f := check.Finding{Title: "Keeps credentials readable in its key-value store", Seen: n.Path() + " is not encrypted, and holds " + strings.Join(seen[:min(5, len(seen))], "; ")}
		if deleted {
			f.Title = "Keeps deleted credentials readable in its key-value store"
		}
		findings = append(findings, f)
	}
	return findings
}
