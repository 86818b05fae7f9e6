package evidence

import "slices"

// Redacted is the result with what looks like a secret blanked in everything that a check wrote in its own words.
func (r Result) Redacted() Result {
	r.Reason, r.Hint = Redact(r.Reason), Redact(r.Hint)
	r.Findings = slices.Clone(r.Findings)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Title, f.Expected, f.Seen = Redact(f.Title), Redact(f.Expected), Redact(f.Seen)
		f.Reproduce = Redact(f.Reproduce)
		f.Evidence = slices.Clone(f.Evidence)
		for j := range f.Evidence {
			f.Evidence[j].What = Redact(f.Evidence[j].What)
		}
	}
	r.Loads = slices.Clone(r.Loads)
	for i := range r.Loads {
		r.Loads[i] = r.Loads[i].Redacted()
	}
	return r
}
