package mobileos

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidCleartext holds the addresses in the home network that an app knows against its network security config.
var AndroidCleartext = &check.Check{
	ID:       "mobileos.android-cleartext",
	Title:    "May speak HTTP to the devices whose addresses are in its code",
	Why:      "Since Android 9 an HTTP request without TLS fails before it leaves the phone, unless the app permits the host. The device is there, and its app cannot reach it.",
	Pass:     "each http:// or ws:// address of a private network or of .local in the code of an app that targets 28 or above is permitted by its network security config",
	Fix:      "List the host in a domain-config with cleartextTrafficPermitted=\"true\" (192.168.4.1 for set-up, say), and nothing else.",
	Severity: check.Major,

	Rows:    []string{"mobile.android.cleartext"},
	Sources: []string{"developer.android.com: network security configuration"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 28 and speak HTTP in the home network", func(a *apps.App, t *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.Code == nil || a.Android.TargetSDK < change("Android", "cleartext").Level.Major {
			return false, nil
		}
		hosts := localHosts(a.Android.Code.Hosts)
		t.Record("%s names %d hosts of private networks", a.Name(), len(hosts))
		return len(hosts) > 0, judgeCleartext(a.Android, hosts)
	}),
}

// localHosts are those of private networks in URLs of HTTP and WebSocket, for which alone the system asks.
func localHosts(urls []string) (hosts []string) {
	seen := map[string]bool{}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "ws" || seen[u.Hostname()] {
			continue
		}
		host := u.Hostname()
		addr, err := netip.ParseAddr(host)
		if err == nil && (addr.IsPrivate() || addr.IsLinkLocalUnicast()) || err != nil && strings.HasSuffix(strings.ToLower(host), ".local") {
			seen[host] = true
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func judgeCleartext(a *apps.Android, hosts []string) (findings []check.Finding) {
	c := change("Android", "cleartext")
	for _, host := range hosts {
		permitted := a.Cleartext != nil && *a.Cleartext
		if a.Network != nil {
			permitted = a.Network.Permits(host, false)
		} else if a.Manifest.Network != "" {
			continue // there is one that cannot be read
		}
		if !permitted {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Cannot speak HTTP to %s", host),
				Seen:  fmt.Sprintf("the code of %s names http://%s, it targets %d, and its network security config does not permit the host (%s)", a.Package, host, a.TargetSDK, c),
			})
		}
	}
	return findings
}
