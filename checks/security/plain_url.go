package security

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// PlainURL looks for updates and APIs that are reached without TLS.
var PlainURL = &check.Check{
	ID:    "security.plain-url",
	Title: "Reaches its updates and its cloud by TLS only",
	Why: "Whoever is on the way changes what comes over http. " +
		"Where that is an update, or the answer of the cloud, the device is theirs.",
	Pass:     "no http, ftp, tftp, mqtt or coap URL of another host is about updates, downloads, an API or a broker",
	Fix:      "Use https, mqtts or coaps, and verify the certificate; sign updates all the same.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.3-10", "CRA:I.2e", "ISTG:FW[UPDT]-CRYPT-003", "IOT10:I4", "IOT10:I7"},
	Rows:         []string{"FW-URL-HTTP"},
	Sources:      []string{"CWE-319"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("URLs", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Addresses), judgePlainURLs(f.Addresses)
	}),
}

var (
	// service is what URLs of updates and APIs have in them, as a whole word.
	service = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:updates?|upgrades?|firmwares?|fw|fota|ota|swupdate|downloads?|api|apis|rest|graphql|telemetry|devices?|provision(?:ing)?|register|iot|cloud|login|oauth2?|auth|token|mqtt|broker)(?:[^a-z]|$)`)
	// open are what is fetched without TLS on purpose: its own signature protects it, or it tells nothing but whether the internet is there.
	open = regexp.MustCompile(`(?i)(?:^|[./])(?:ocsp|crl|crls|crt|pki|aia|cacerts?|schemas?|ns|xmlns|dtd|generate_204|connectivity-?check|captive|ncsi|hotspot-detect|rfc|licen[sc]es?)(?:[0-9]*[./]|$)|\.(?:crl|crt|cer|der|p7c|dtd|xsd)$`)
)

func judgePlainURLs(all []artefact.Address) (findings []check.Finding) {
	var same groups[string]
	for _, a := range all {
		plain := a.Scheme == "http" || a.Scheme == "ftp" || a.Scheme == "tftp" || a.Scheme == "mqtt" || a.Scheme == "coap" || a.Scheme == "amqp"
		if !plain || a.Comment || document(a.Node) || namespace(a.Host) || open.MatchString(a.Host) || open.MatchString(a.Path) || !beyondHome(a.Host) {
			continue
		}
		if a.Scheme == "http" || a.Scheme == "ftp" {
			if !service.MatchString(a.Host) && !service.MatchString(a.Path) {
				continue
			}
		}
		same.add(a.Text, place(a.Node, a.Offset))
	}
	for _, text := range same.keys {
		findings = append(findings, check.Finding{Title: "Reaches a service without TLS", Seen: fmt.Sprintf("%s, in %s", text, several(same.of[text]))})
	}
	return findings
}

// namespaces are hosts whose URLs are names and are not fetched, or that stand in the licences and help texts of programs.
var namespaces = []string{
	"w3.org", "xmlsoap.org", "openxmlformats.org", "purl.org", "ns.adobe.com", "schemas.microsoft.com", "schemas.android.com", "apache.org", "gnu.org", "fsf.org", "opensource.org", "xml.org", "upnp.org",
	"oasis-open.org", "ietf.org", "iana.org", "unicode.org", "openssl.org", "sourceforge.net", "kernel.org", "debian.org", "busybox.net", "launchpad.net", "github.com", "python.org", "perl.org", "php.net",
	"example.com", "example.org", "example.net", "wikipedia.org", "mozilla.org", "curl.se", "curl.haxx.se", "freedesktop.org", "gnome.org", "kde.org", "webkit.org", "jquery.com", "jquery.org", "nodejs.org", "microsoft.com",
}

func namespace(host string) bool {
	for _, n := range namespaces {
		if host == n || strings.HasSuffix(host, "."+n) {
			return true
		}
	}
	return strings.HasSuffix(host, ".example") || strings.HasSuffix(host, ".invalid")
}

// beyondHome says whether a host is beyond the home network.
func beyondHome(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsGlobalUnicast() && !a.IsPrivate()
	}
	for _, local := range []string{".local", ".lan", ".home", ".internal", ".localdomain", ".home.arpa"} {
		if strings.HasSuffix(host, local) {
			return false
		}
	}
	return true
}
