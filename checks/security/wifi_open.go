package security

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/settings"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// WiFiOpen looks for Wi-Fi networks that the device opens without encryption.
var WiFiOpen = &check.Check{
	ID:       "security.wifi-open",
	Title:    "Opens no Wi-Fi network without encryption",
	Why:      "Everybody in reach is then in the network of the device, and reads what its owner types during set-up.",
	Pass:     "every access point that is configured has WPA2 or later; one for set-up alone is to be accepted with its reason",
	Fix:      "wpa=2 with a passphrase of its own for each unit, or OWE (wpa_key_mgmt=OWE) for set-up.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.5-1", "CRA:I.2b", "ISTG:WRLS-CRYPT-001"},
	Rows:         []string{"SVC-WIFI-OPEN"},
	Sources:      []string{"hostapd.conf: wpa, wep_key0", "OpenWrt, /etc/config/wireless: encryption, disabled"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("configurations of an access point", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return judgeNetworks(f.Settings)
	}),
}

// judgeNetworks finds access points without encryption, and with WEP, which is as good as none.
func judgeNetworks(all []artefact.Settings) (looked int, findings []check.Finding) {
	find := func(f artefact.Settings, line int, ssid, what string) {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Opens a Wi-Fi network %s", what),
			Seen:  fmt.Sprintf("the network %q in line %d of %s is %s", ssid, line, f.Node.Path(), what),
		})
	}
	for _, f := range all {
		disabled := map[string]bool{} // radios of OpenWrt
		for i := range f.Sections {
			if s := &f.Sections[i]; s.Type == "wifi-device" && s.On("disabled") {
				disabled[s.Name] = true
			}
		}
		for i := range f.Sections {
			s := &f.Sections[i]
			ssid, named := s.Get("ssid")
			switch {
			case f.Kind == settings.AccessPt && (named || s.Values != nil):
				looked++
				wpa, _ := s.Get("wpa")
				_, wep := s.Get("wep_key0")
				switch {
				case wep:
					find(f, s.LineOf("wep_key0"), ssid, "with WEP")
				case named && (wpa == "" || wpa == "0") && !s.On("ieee8021x") && !s.On("osen"):
					find(f, max(s.Line, s.LineOf("ssid")), ssid, "without encryption")
				}
			case f.Kind == settings.UCI && s.Type == "wifi-iface":
				looked++
				mode, _ := s.Get("mode")
				device, _ := s.Get("device")
				encryption, _ := s.Get("encryption")
				if mode != "ap" || s.On("disabled") || disabled[device] {
					continue
				}
				switch {
				case encryption == "" || encryption == "none" || encryption == "open":
					find(f, s.Line, ssid, "without encryption")
				case strings.HasPrefix(encryption, "wep"):
					find(f, s.Line, ssid, "with WEP")
				}
			}
		}
	}
	return looked, findings
}
