package security

import (
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// WiFiPassword looks for the keys of wireless networks.
var WiFiPassword = &check.Check{
	ID:    "security.wifi-password",
	Title: "Holds no key of a wireless network",
	Why: "It is the key of the office or factory in which the image was made, or that of the network that every unit opens to be set up. " +
		"With it, whoever is near is in.",
	Pass:     "no configuration of wpa_supplicant, hostapd, UCI, NetworkManager or of the product itself sets a WPA passphrase or key",
	Fix:      "Clear the networks before the image is made; give each unit a key of its own for the network that it opens.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.4-1", "EN303645:5.1-1", "CRA:I.2e", "ISTG:FW-SCRT-002", "IOT10:I7"},
	Rows:         []string{"CRED-WIFI"},
	Sources:      []string{"wpa_supplicant.conf(5): psk", "hostapd.conf: wpa_passphrase, wpa_psk"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgeWiFi(f.Assignments)
	}),
}

var (
	wifiKey  = regexp.MustCompile(`(?i)^(?:psk|wpa_psk|wpa_passphrase|wep_key[0-3]|sae_password)$|(?:wifi|wlan|wireless|wpa|hotspot|ap|ssid)_?-?(?:key|pass|passwd|password|passphrase|psk)$`)
	wifiFile = regexp.MustCompile(`(?i)wpa_?supplicant|hostapd|wireless|wifi|wlan`)
	hexKey   = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

// ofWiFi says whether a setting is the key of a wireless network.
func ofWiFi(s artefact.Assignment) bool {
	return wifiKey.MatchString(s.Key) || strings.EqualFold(s.Key, "key") && wifiFile.MatchString(path.Base(s.Node.Name)) ||
		strings.EqualFold(s.Key, "password") && wifiFile.MatchString(path.Base(s.Node.Name))
}

func judgeWiFi(all []artefact.Assignment) (findings []check.Finding) {
	var keys []artefact.Assignment
	for _, s := range all {
		if !ofWiFi(s) || strings.HasPrefix(s.Value, "$") || strings.HasPrefix(s.Value, "%") || strings.HasPrefix(s.Value, "<") {
			continue
		}
		// A passphrase has 8 to 63 characters, spaces among them; a key is 64 hexadecimal digits (IEEE 802.11, annex J.4).
		if n := len(s.Value); hexKey.MatchString(s.Value) || n >= 8 && n <= 63 {
			keys = append(keys, s)
		}
	}
	for _, s := range keys {
		findings = append(findings, check.Finding{
			Title: "Holds the key of a wireless network" + networkOf(all, s),
			Seen:  artefact.Shown(s.Value) + ", in " + lineOf(s),
		})
	}
	return findings
}

// networkOf names the network, which is set in the same section of the same file, nearby.
func networkOf(all []artefact.Assignment, of artefact.Assignment) string {
	for _, s := range all {
		if s.Node == of.Node && s.Section == of.Section && strings.EqualFold(s.Key, "ssid") && s.Line > of.Line-20 && s.Line < of.Line+20 {
			return ": " + s.Value
		}
	}
	return ""
}
