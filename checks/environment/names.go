package environment

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
)

// question is a DNS query that came to one of the world's resolvers.
type question struct {
	dns.Query
	part string // the resolver
	at   time.Time
	n    int // of its event
}

// questions are those in events that ask for a name; all of them for an empty one.
func questions(events []evidence.Event, name string) (all []question) {
	for _, e := range events {
		if q, ok := dns.Asked(e); ok && (name == "" || q.Name == name) {
			all = append(all, question{q, e.Part, e.At, e.N})
		}
	}
	return all
}

// named starts the device in an ordinary world, and returns its session once it has looked up the name of its cloud. A device that comes
// online without doing so makes the check not applicable.
func named(ctx context.Context, t *check.T) (*testbed.Session, error) {
	mark := t.Log.Len()
	s, err := t.Online(ctx)
	if err != nil {
		return nil, err
	}
	if len(questions(t.Log.Since(mark), t.Device.Part.Host)) == 0 {
		return nil, check.NotApplicable("the device came online without looking up %s", t.Device.Part.Host)
	}
	return s, nil
}
