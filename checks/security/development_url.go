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

// DevelopmentURL looks for hosts of the development.
var DevelopmentURL = &check.Check{
	ID:    "security.development-url",
	Title: "Names no host of the development",
	Why: "Staging systems are less guarded, and are switched off one day; a domain that was given up can be bought by anybody. " +
		"They also show where to look for the next version.",
	Pass:     "no URL leads to a staging, test or development host of the product's own domains, to an address of a private network that is no gateway, or to a tunnel or dynamic name",
	Fix:      "Let the build set the hosts, and fail when a release names one of the development.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-6", "CRA:I.2j", "ISTG:FW-INFO-003", "IOT10:I3"},
	Rows:         []string{"FW-URL-DEV"},
	Sources:      []string{"RFC 1918", "CWE-489"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("URLs", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		return len(f.Addresses), judgeDevelopmentURLs(f.Addresses, ownDomains(t.Product))
	}),
}

var (
	staging = regexp.MustCompile(`^(?:staging|stage|stg|dev|devel|development|test|testing|qa|uat|sandbox|preprod|pre-?prod|integration|int|jenkins|gitlab|ci|nightly)[0-9]*$`)
	// passing are services by which a developer's own machine is reached.
	passing = []string{"ngrok.io", "ngrok-free.app", "ngrok.app", "duckdns.org", "no-ip.org", "ddns.net", "dyndns.org", "herokuapp.com", "loca.lt", "serveo.net", "trycloudflare.com", "webhook.site", "requestbin.com", "pipedream.net"}
)

// ownDomains are the domains of the hosts that the product file names, with their last two labels.
func ownDomains(p *product.Product) (domains []string) {
	for _, part := range p.Parts {
		domains = append(domains, domain(part.Host))
	}
	for _, d := range p.Declared.Destinations {
		domains = append(domains, domain(d))
	}
	return domains
}

func domain(host string) string {
	labels := strings.Split(strings.TrimPrefix(strings.ToLower(host), "*."), ".")
	if len(labels) < 2 {
		return ""
	}
	return strings.Join(labels[len(labels)-2:], ".")
}

func judgeDevelopmentURLs(all []artefact.Address, own []string) (findings []check.Finding) {
	var same groups[string]
	for _, a := range all {
		if a.Comment || document(a.Node) {
			continue
		}
		if why := development(a.Host, own); why != "" {
			same.add(a.Text+"\x00"+why, place(a.Node, a.Offset))
		}
	}
	for _, key := range same.keys {
		text, why, _ := strings.Cut(key, "\x00")
		findings = append(findings, check.Finding{Title: "Names " + why, Seen: fmt.Sprintf("%s, in %s", text, several(same.of[key]))})
	}
	return findings
}

// development says what a host is; empty: one like any other.
func development(host string, own []string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		// The first and the last address of a home network are those of its router, or of the network that a device opens.
		if b := a.As16(); a.Is4() && a.IsPrivate() && b[15] != 1 && b[15] != 254 {
			return "an address in a private network"
		}
		return ""
	}
	for _, p := range passing {
		if strings.HasSuffix(host, "."+p) {
			return "a host that can be anybody's tomorrow"
		}
	}
	for _, o := range own {
		if rest, ok := strings.CutSuffix(host, "."+o); ok && o != "" {
			for part := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == '.' || r == '-' }) {
				if staging.MatchString(part) {
					return "a host of the development"
				}
			}
		}
	}
	return ""
}
