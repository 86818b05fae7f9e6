package report

import (
	"slices"

	"github.com/shakedown-test/shakedown/evidence"
)

// network is how the product fared in one network, a line for each variant.
type network struct {
	Profile, Title string
	Lines          []lived
}

// lived is one variant in one network.
type lived struct {
	evidence.Lived
	Variant string
}

// Rate is the share of the trials that succeeded.
func (l lived) Rate() float64 { return float64(l.Successes) / float64(max(l.Trials, 1)) }

// Width is that of the interval.
func (l lived) Width() float64 { return l.High - l.Low }

// Dot is where the mark of the rate begins, so that it stays within the plot.
func (l lived) Dot() float64 { return max(0, l.Rate()-0.02) }

// Kept says how the trials compare with the promise: "kept", "broken", "open" when they do not decide, or "untried".
func (l lived) Kept() string {
	switch {
	case l.Trials == 0:
		return "untried"
	case l.High < l.Promised:
		return "broken"
	case l.Rate() >= l.Promised:
		return "kept"
	}
	return "open"
}

func (v *viewer) networks() []network {
	var out []network
	for _, c := range v.cases {
		for _, r := range c.Results {
			for _, l := range r.Networks {
				i := slices.IndexFunc(out, func(n network) bool { return n.Profile == l.Profile })
				if i < 0 {
					i = len(out)
					out = append(out, network{Profile: l.Profile, Title: l.Title})
				}
				out[i].Lines = append(out[i].Lines, lived{l, c.Variant})
			}
		}
	}
	return out
}
