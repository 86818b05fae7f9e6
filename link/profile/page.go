package profile

import (
	"fmt"
	"io"
	"strings"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Page writes the page about all profiles, in Markdown.
func Page(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Network profiles\n\n")
	b.WriteString("Made from the profiles in link/profile by `go test ./link/profile -update`; do not edit.\n\n")
	b.WriteString("A profile is how a link is and how that changes over time. What happens on the air is modelled as what it does to frames: " +
		"interference as bursts of loss, retries as jitter, a shared channel as a lower rate, a lost signal as silence. Nothing of a radio itself is " +
		"simulated. All times are device time.\n\n| name | network | link |\n|---|---|---|\n")
	for _, p := range All() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", p.Name, p.Name, p.Title, p.Link)
	}
	for _, p := range All() {
		p.describe(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Profile) describe(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s. %s\n\n| figure | value | source |\n|---|---|---|\n", p.Name, p.Title, p.Models)
	for _, f := range p.Figures {
		fmt.Fprintf(b, "| %s | %s | %s |\n", f.What, f.Value, f.Source)
	}
	if p.Portal != nil {
		p.Portal.describe(b)
	}
	if p.Proxy != nil {
		p.Proxy.describe(b)
	}
	b.WriteString("\n| step | lasts | up | down |\n|---|---|---|---|\n")
	for i, s := range p.Steps {
		lasts := s.For.String()
		if i == len(p.Steps)-1 && !p.Loop {
			lasts = "for ever"
		}
		if s.Ramp {
			lasts += ", reached evenly"
		}
		up, down := conditions(s.Up), conditions(s.Down)
		if s.Off {
			up, down = "link down", "link down"
		}
		fmt.Fprintf(b, "| %d%s | %s | %s | %s |\n", i+1, told(s.What), lasts, up, down)
	}
	if p.Loop {
		b.WriteString("\nAfter the last step it begins again.\n")
	}
}

func (p *Portal) describe(b *strings.Builder) {
	names := "The DNS tells the truth."
	if p.Lie > 0 {
		names = fmt.Sprintf("Every name has the portal's address, for %s; the DNS tells the truth afterwards.", p.Lie)
	}
	answer := map[Answer]string{Redirects: "a redirect (302) to its login page", Serves: "its login page (200)"}[p.Answer]
	fmt.Fprintf(b, "\nFor the first %s a captive portal is shut: plain HTTP (port 80) to any address is answered with %s, everything else, TLS "+
		"with it, is %s; connections that were open do not live on. %s The portal then opens by itself, as if a person had accepted its terms: no device "+
		"can. In a run it shuts anew each time that the device is powered on, and what is promised counts from its opening: connect_within as declared for "+
		"this network, or, without that, as declared for any network and once the longest pause between two attempts (reconnect_cap) on top. IPv6 does not "+
		"pass.\n", p.Opens, answer, p.Direct, names)
}

func (p *Proxy) describe(b *strings.Builder) {
	fmt.Fprintf(b, "\nNothing leaves the network but by an HTTP proxy: what goes out directly (MQTT on 1883 and 8883, HTTPS on 443, everything else but "+
		"DNS and NTP) is %s. The proxy takes CONNECT to any port, and plain HTTP. It is told by DHCP (option 252, whose URL leads to a proxy "+
		"auto-configuration file), by the name wpad in the DNS, by `{proxy.url}` in the product file, and to a command of `shakedown net` by the "+
		"environment (http_proxy, https_proxy, HTTPS_PROXY). A run tries this network only where the product file promises it under "+
		"networks: no device without support for proxies can live there. IPv6 does not pass.\n", p.Direct)
}

func told(what string) string {
	if what == "" {
		return ""
	}
	return ": " + what
}

// conditions is a state of one way in words.
func conditions(c frame.Conditions) string {
	var out []string
	if c.Latency != (frame.Latency{}) {
		out = append(out, c.Latency.String())
	}
	if c.Rate.BitsPerSecond > 0 {
		text := c.Rate.String()
		if c.Rate.Queue > 0 {
			text += fmt.Sprintf(", queue of %d bytes", c.Rate.Queue)
		}
		out = append(out, text)
	}
	if c.Loss > 0 {
		out = append(out, fmt.Sprintf("loss %.3g %%", c.Loss*100))
	}
	if c.Bursts != (frame.GilbertElliott{}) {
		out = append(out, c.Bursts.String())
	}
	return strings.Join(out, "; ")
}
