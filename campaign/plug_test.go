package campaign

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// plug is a driver whose part prints a line when it is started, and is on until it is closed.
type plug struct {
	env driver.Env
	on  *atomic.Int32 // parts that are on
}

func (p *plug) Start(context.Context) error {
	p.on.Add(1)
	p.env.Log.Add(evidence.Event{Part: p.env.Part.Name, Kind: evidence.Console, Text: "on"})
	return nil
}

func (p *plug) Stop(context.Context) error { return nil }

func (p *plug) Close() error {
	p.on.Add(-1)
	return nil
}

// plugged is a campaign of checks on a part with that driver, and the number of parts that are on.
func plugged(instances int, checks ...*check.Check) (Options, *atomic.Int32) {
	on := new(atomic.Int32)
	for _, c := range checks {
		c.Needs.Real, c.Limit = product.Device, time.Minute
		if c.Run == nil {
			c.Run = func(ctx context.Context, t *check.T) error { return t.Device.Start(ctx) }
		}
	}
	o := bench(instances)
	o.Product.Links = []product.Link{{Name: "up", From: "lamp", To: "cloud", Protocol: product.MQTT}}
	o.Kinds["plug"] = driver.Kind{Name: "plug", Instances: instances, Open: func(env driver.Env) (driver.Driver, error) {
		return &plug{env: env, on: on}, nil
	}}
	o.Risks = []check.Risk{{ID: "fault", Title: "Faults", Checks: checks}}
	return o, on
}

// begun is a run folder for the campaign.
func begun(t *testing.T, o Options) *evidence.Run {
	t.Helper()
	plan, err := Plan(o, noon)
	if err != nil {
		t.Fatal(err)
	}
	run, err := evidence.CreateRun(t.TempDir(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Close() })
	return run
}

// notes is a watcher that counts.
type notes struct {
	mu             sync.Mutex
	started, ended map[string]int
}

func newNotes() *notes { return &notes{started: map[string]int{}, ended: map[string]int{}} }

func (n *notes) Started(j evidence.Job) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.started[j.Check]++
}

func (n *notes) Ended(r evidence.Result) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended[r.Check]++
}

func (*notes) Step(evidence.Job, string)                   {}
func (*notes) Tell(string)                                 {}
func (*notes) Ask(context.Context, string) (string, error) { return "", context.Canceled }
