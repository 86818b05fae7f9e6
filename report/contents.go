package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// Contents prints what an artefact holds, a line each.
func Contents(w io.Writer, o evidence.Opened) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %d bytes  sha256 %s\n", o.File, o.Size, o.SHA256)
	for _, c := range o.Lines {
		fmt.Fprintf(&b, "%12s %12d  %s%s\n", lies(c), c.Size, strings.Repeat("  ", c.Depth), strings.Join(said(c), "  "))
		for _, note := range c.Notes {
			fmt.Fprintf(&b, "%27s%s! %s\n", "", strings.Repeat("  ", c.Depth), note)
		}
	}
	if o.Left > 0 {
		fmt.Fprintf(&b, "%27sand %d more\n", "", o.Left)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// lies is where a content lies in what holds it.
func lies(c evidence.Content) string {
	if c.Offset < 0 || c.Depth == 0 {
		return ""
	}
	return fmt.Sprintf("%#x", c.Offset)
}

// said is what is said of a content.
func said(c evidence.Content) []string {
	out := []string{printable(c.Name)}
	if c.Format != "" && c.Format != c.Name {
		out = append(out, c.Format)
	}
	if c.About != "" {
		out = append(out, printable(c.About))
	}
	if c.Files > 0 {
		out = append(out, plural(c.Files, "file"))
	}
	return out
}

// printable is text from an artefact without what would steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// opened is an artefact as the page shows it.
type opened struct {
	evidence.Opened
	Variant string
	Rows    []contentRow
}

// contentRow is a line of its contents.
type contentRow struct {
	Place, Size, Indent string
	Words               string
	Notes               []string
}

// Bars are the bars of the plot of entropy: x, width, height and y of each, within 800 by 100.
func (o opened) Bars() (bars [][4]float64) {
	width := 800 / float64(max(1, len(o.Profile)))
	for i, bits := range o.Profile {
		height := bits / 8 * 100
		bars = append(bars, [4]float64{float64(i) * width, width, height, 100 - height})
	}
	return bars
}

// Bytes is its size.
func (o opened) Bytes() string { return grouped(o.Size) }

// All is how many contents it has.
func (o opened) All() int { return len(o.Rows) + o.Left }

// Share is how much of it cannot be read.
func (o opened) Share() float64 { return float64(o.Opaque) / float64(max(o.Size, 1)) }

func (v *viewer) artefacts() (out []opened) {
	seen := map[string]bool{}
	for _, c := range v.cases {
		for _, r := range c.Results {
			for _, a := range r.Artefacts {
				if seen[a.Part+a.SHA256] {
					continue
				}
				seen[a.Part+a.SHA256] = true
				o := opened{Opened: a, Variant: c.Variant}
				for _, line := range a.Lines {
					o.Rows = append(o.Rows, contentRow{
						Place: lies(line), Size: grouped(line.Size), Indent: fmt.Sprintf("%.1fem", float64(line.Depth)*1.2),
						Words: strings.Join(said(line), " · "), Notes: line.Notes,
					})
				}
				out = append(out, o)
			}
		}
	}
	return out
}

// grouped is a number of bytes with its thousands apart.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
