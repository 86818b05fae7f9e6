package environment

import (
	"context"
	"errors"
	"fmt"
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

// anew has the device start anew, or, where only a person could do that, cuts it off, and waits up to within for its next session, which
// is nil when none came. Mark is the number of the first event after that.
func anew(ctx context.Context, t *check.T, within time.Duration) (s *testbed.Session, mark int, err error) {
	if err := t.Device.Fresh(ctx); err != nil {
		return nil, 0, err
	}
	mark = t.Log.Len()
	if err := t.Device.Start(ctx); err != nil {
		return nil, mark, fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	s, err = t.Device.NextSession(ctx, mark, within)
	if errors.Is(err, testbed.ErrOffline) {
		return nil, mark, nil
	}
	return s, mark, err
}

// healthy is the positive control after a misbehaviour: the world is healed, and the device must come online when it starts anew.
func healthy(ctx context.Context, t *check.T) error {
	s, mark, err := anew(ctx, t, t.Device.ConnectWithin()*3/2)
	if err == nil && s == nil {
		return check.NotRun("find out with protocol.connect-happy why it does not come online",
			"the device did not come online after everything was healed: %s", testbed.Account(t.Log.Since(mark)))
	}
	return err
}

// exits are the ends of the device's process in events.
func exits(t *check.T, mark int) (all []evidence.Event) {
	for _, e := range t.Log.Since(mark) {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			all = append(all, e)
		}
	}
	return all
}
