package security

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// KnownKey looks for settings by which a key that everybody knows protects who may join.
var KnownKey = &check.Check{
	ID:    "security.known-key",
	Title: "Lets nobody join by a key that everybody knows",
	Why: "ZigBeeAlliance09, the passkey 123456 and a network key of zeros are in every book. " +
		"Where nothing else protects the joining, whoever is near reads along and takes part.",
	Pass:     "no setting makes a well-known key or passkey the one that devices join by; that a stack knows such keys is recorded only",
	Fix:      "Use install codes (Zigbee), Secure Connections with numeric comparison or a passkey by chance (Bluetooth LE), S2 (Z-Wave).",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.1-1", "CRA:I.2d", "ISTG:WRLS-CRYPT-001", "IOT10:I1"},
	Rows:         []string{"KEY-WELLKNOWN"},
	Sources:      []string{"Zigbee Base Device Behavior 3.0.1 section 6.3.1", "Bluetooth Core 5.4, Vol 3, Part H, section 2.3.5", "Z-Wave S0: the temporary key is zero"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		for _, k := range f.WellKnown {
			t.Record("%s, in %s", k.What, place(k.Node, k.Offset))
		}
		return contents(f), judgeKnownKeys(f.Assignments)
	}),
}

var (
	joinKey = regexp.MustCompile(`(?i)(?:link_?key|network_?key|tc_?key|trust_?center_?key|s0_?key|install_?key|join_?key|pass_?key|pairing_?(?:pin|code|key)|bt_?pin|ble_?pin|pin_?code|dm_?pin)$`)
	// knownPasskeys are those of standards, examples and every second product.
	knownPasskeys = map[string]string{
		"zigbeealliance09": "the default link key of Zigbee", "5a6967426565416c6c69616e63653039": "the default link key of Zigbee",
		"123456": "the passkey of every example", "000000": "the passkey zero", "0000": "the PIN of every headset", "1234": "the PIN of every example", "111111": "the passkey 111111",
		"00000000000000000000000000000000": "the key zero", "01030507090b0d0f00020406080a0c0d": "the network key of every Zigbee2MQTT example",
	}
)

func judgeKnownKeys(all []artefact.Assignment) (findings []check.Finding) {
	for _, s := range all {
		value := strings.ToLower(strings.TrimPrefix(strings.NewReplacer(":", "", " ", "", ",", "", "-", "").Replace(s.Value), "0x"))
		if what := knownPasskeys[value]; what != "" && joinKey.MatchString(strings.ReplaceAll(s.Key, "-", "_")) {
			findings = append(findings, check.Finding{
				Title: "Lets devices join by " + what,
				Seen:  fmt.Sprintf("%s is set so in %s", s.Key, lineOf(s)),
			})
		}
	}
	return findings
}
