package device

import (
	"math/rand/v2"
	"time"
)

// cause is why a connection ended or did not come about, as far as the next wait depends on it.
type cause int

const (
	dropped      cause = iota // anything without a reason of its own
	tlsFailed                 // no TCP connection or no TLS session
	busy                      // the server says that it is busy, or that a quota is used up
	unauthorised              // it does not accept who the device is
	takenOver                 // another client has the same id
	tryOther                  // another protocol version or server is to be tried
)

const (
	backoffBase  = time.Second
	backoffCap   = 60 * time.Second
	settled      = 30 * time.Second // a session this long was a good one: the next outage starts anew
	spread       = 4 * time.Second  // the first attempt after a good session comes within this time, so that a fleet does not come at once
	authWait     = 30 * time.Second // least wait after a refusal for who it is
	takeoverWait = 60 * time.Second // least wait after a take-over: the twin shall not be fought
)

// backoff says how long to wait before the next attempt: exponential, and half of each wait random. Only a session that settled
// starts it anew; one that is accepted and dropped at once does not.
type backoff struct {
	cfg *Config
	rng *rand.Rand
	n   int // failures in a row
}

// next is the wait after a connection that ended for why. It was in session for lasted, 0 when it got no session.
func (b *backoff) next(why cause, lasted time.Duration) time.Duration {
	if d, ok := b.flawed(why, lasted); ok {
		return d
	}
	fresh := lasted >= settled
	if fresh {
		b.n = 2
	}
	defer func() { b.n++ }()
	switch why {
	case takenOver:
		return takeoverWait + b.upTo(6*time.Second)
	case unauthorised:
		return authWait + b.upTo(min(b.step(), backoffCap-authWait))
	case busy:
		b.n += 2
	case tryOther:
		return b.half(backoffBase)
	}
	if fresh {
		return backoffBase/2 + b.upTo(spread-backoffBase/2)
	}
	return b.half(b.step())
}

// step is the present length of the exponential wait.
func (b *backoff) step() time.Duration { return min(backoffBase<<min(b.n, 10), backoffCap) }

// half is at least half of d, the rest random.
func (b *backoff) half(d time.Duration) time.Duration { return d/2 + b.upTo(d/2) }

func (b *backoff) upTo(d time.Duration) time.Duration {
	return time.Duration(b.rng.Float64() * float64(d))
}

// flawed is the wait where a planted defect decides it.
func (b *backoff) flawed(why cause, lasted time.Duration) (time.Duration, bool) {
	has := b.cfg.has
	switch {
	case has("backoff-none"),
		has("backoff-none-after-tls-failure") && why == tlsFailed,
		has("backoff-none-after-session") && lasted > 0,
		has("takeover-fight") && why == takenOver,
		has("connack-busy-hammer") && why == busy,
		has("v5-refused-storm") && why == tryOther:
		return 50 * time.Millisecond, true
	case has("backoff-constant"):
		return 5 * time.Second, true
	case has("auth-hammer") && why == unauthorised:
		return 2 * time.Second, true
	case has("backoff-slow-after-long-session") && lasted >= settled:
		return backoffCap, true
	case has("backoff-linear"):
		b.n++
		return min(time.Duration(b.n)*2*time.Second, backoffCap), true
	case has("backoff-no-jitter"):
		if lasted >= settled {
			b.n = 0
		}
		b.n++
		return min(backoffBase<<min(b.n-1, 10), backoffCap), true
	case has("backoff-cap-1h"):
		b.n++
		return backoffBase << min(4*b.n, 12), true
	case has("backoff-reset-by-connack") && lasted > 0:
		b.n = 0
	case has("backoff-never-reset"):
		if lasted < settled {
			b.n++
		}
		return b.half(b.step()), true
	}
	return 0, false
}
