package fleet

import "github.com/shakedown-test/shakedown/fleet/payload"

// strays is what of other tenants was found in a message or an answer so far.
type strays struct{ stamp, canary bool }

// leaks looks for data of other tenants in what a device got, and gives the first stamp of its own tenant. An answer may be given piece by
// piece. Each stamp of another tenant is a message that leaked; where there is none, canaries of others count as one.
func (s *shard) leaks(i int32, body []byte, found *strays) (own payload.Stamp, ok bool) {
	if body = payload.Marked(body); body == nil {
		return own, false
	}
	tenant := s.tenant(s.number(i))
	for stamp := range payload.FindStamps(body) {
		switch {
		case stamp.Run != s.job.Run:
			s.ledger.Foreign()
		case stamp.Tenant == tenant:
			if !ok {
				own, ok = stamp, true
			}
		case found.canary && !found.stamp: // counted by the canary that stood in a piece before
			found.stamp = true
		default:
			found.stamp = true
			s.ledger.Leaked(stamp.Source, stamp.Seq)
		}
	}
	if found.stamp || found.canary {
		return own, ok
	}
	for canary := range payload.FindCanaries(body) {
		if canary.Run == s.job.Run && canary.Tenant != tenant {
			found.canary = true
			s.ledger.LeakedUnnamed()
			break
		}
	}
	return own, ok
}
