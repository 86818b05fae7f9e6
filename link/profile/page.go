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
