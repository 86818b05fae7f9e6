package security

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/settings"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// UPnPOpen looks for a port mapper that does the will of anybody in the home.
var UPnPOpen = &check.Check{
	ID:       "security.upnp-open",
	Title:    "Opens no port for another host",
	Why:      "A page in a browser or one infected device in the home then opens any other device to the internet.",
	Pass:     "a UPnP port mapper is off, or in secure mode and without a rule that lets everybody have ports below 1024",
	Fix:      "secure_mode=yes, and allow only ports from 1024 on.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-1", "CRA:I.2j", "ISTG:FW-CONF-002"},
	Rows:         []string{"SVC-UPNP"},
	Sources:      []string{"miniupnpd.conf(5): secure_mode, allow", "OpenWrt, /etc/config/upnpd"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("configurations of a port mapper", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		looked := 0
		for _, s := range f.Settings {
			if s.Kind == settings.UPnP || s.Kind == settings.UCI && path.Base(s.Node.Name) == "upnpd" {
				looked++
			}
		}
		return looked, judgeMappers(f.Settings)
	}),
}

// judgeMappers finds configurations that let one host map ports for another, or any port.
func judgeMappers(all []artefact.Settings) (findings []check.Finding) {
	find := func(f artefact.Settings, line int, title, seen string) {
		findings = append(findings, check.Finding{Title: title, Seen: fmt.Sprintf("line %d of %s: %s", line, f.Node.Path(), seen)})
	}
	for _, f := range all {
		uci := f.Kind == settings.UCI && path.Base(f.Node.Name) == "upnpd"
		if !uci && f.Kind != settings.UPnP || off(f) {
			continue
		}
		for i := range f.Sections {
			s := &f.Sections[i]
			if s.Off("secure_mode") {
				find(f, s.LineOf("secure_mode"), "Lets one host open ports of another", "secure_mode is off")
			}
			if uci && s.Type == "perm_rule" {
				action, _ := s.Get("action")
				ports, _ := s.Get("ext_ports")
				from, _ := s.Get("int_addr")
				if action == "allow" && low(ports) && everybody(from) {
					find(f, s.Line, "Lets everybody open ports below 1024", "ports "+ports+" are allowed to "+from)
				}
			}
			for _, v := range s.Values {
				w := strings.Fields(v.Value)
				if v.Key == "allow" && len(w) >= 2 && low(w[0]) && everybody(w[1]) {
					find(f, v.Line, "Lets everybody open ports below 1024", "allow "+v.Value)
				}
				if v.Key == "allow" { // the first rule that fits holds
					break
				}
			}
		}
	}
	return findings
}

// off reports whether the mapper is not to run.
func off(f artefact.Settings) bool {
	for i := range f.Sections {
		if s := &f.Sections[i]; s.Type == "upnpd" && (s.Off("enabled") || s.Off("enable_upnp") && s.Off("enable_natpmp")) {
			return true
		}
	}
	return false
}

// low reports whether ports, such as 0-65535, begin below 1024 and are more than a few.
func low(ports string) bool {
	first, last, _ := strings.Cut(ports, "-")
	a, err := strconv.Atoi(strings.TrimSpace(first))
	b, _ := strconv.Atoi(strings.TrimSpace(last))
	return err == nil && a < 1024 && b-a > 100
}

func everybody(address string) bool { return address == "" || strings.HasPrefix(address, "0.0.0.0/0") }
