package environment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

const (
	mostDays     = 12 // trials in one network
	usualCommand = 30 * time.Second
	usualSuccess = 0.9
	hopeless     = 0.4 // below the promised rate: what the trials must tell from it
)

// DailyLife starts the device in one network after another and lets it do what it does every day.
var DailyLife = &check.Check{
	ID:    "environment.daily-life",
	Title: "Lives its daily life in the networks that it is promised to work in",
	Why: "A laboratory's network loses nothing and answers at once. A satellite takes 600 ms for each round trip and an NB-IoT cell seconds, " +
		"and time limits that nobody felt in the laboratory end every attempt there.",
	Pass: "in each network profile of the product file, or of --profile: powered on, it is in session within connect_within and carries out a command " +
		"within command_within (30 s when none is declared) in the promised share of trials (90 % when none is declared); at most 12 trials, fewer " +
		"when they are clear with a chance of 1 in 100 to be wrong; behind a captive portal, counted from its opening",
	Fix:          "log how long each step of a connection takes in that network, and make every time limit several times as long",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Sources:      []string{"the profiles and where their figures are from: docs/profiles.md", "Wald, Sequential Tests of Statistical Hypotheses, 1945"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      90 * time.Second,
	Limit:        6 * time.Hour,
	Run:          dailyLife,
}

// day is one trial.
type day struct {
	connected time.Duration // from power-on to the session; negative: none came in time
	commanded time.Duration // from the command to its effect; negative: it had none in time
	note      string        // why it failed
}

// life is what the trials in one network came to.
type life struct {
	network     product.Network
	title       string
	portal      bool
	rate        judge.Rate
	days        []day
	first, last int
}

func dailyLife(ctx context.Context, t *check.T) error {
	networks := promised(t)
	if len(networks) == 0 {
		return check.NotRun("name the networks under networks: in the product file, or try one with --profile lte-m; docs/profiles.md lists them",
			"the product file names no network in which the device is promised to work")
	}
	if _, err := t.Online(ctx); err != nil { // the control: it lives in a good network
		return err
	}
	tried := 0
	for _, n := range networks {
		p, err := profile.Named(n.Profile)
		if err != nil {
			return err
		}
		if p.Proxy != nil && !declares(t.Product, n.Profile) {
			t.Lived(evidence.Lived{Profile: p.Name, Title: p.Title, Note: unpromised})
			t.Record("%s: not tried: %s", n.Profile, unpromised)
			continue
		}
		tried++
		l, err := live(ctx, t, n, p)
		if err != nil {
			return err
		}
		t.Lived(l.account())
		t.Record("%s: %s", n.Profile, l.rate)
		t.Find(judgeLife(l)...)
	}
	if tried == 0 {
		return check.NotApplicable("%s: %s", networks[0].Profile, unpromised)
	}
	return nil
}

// unpromised is why a device is not tried in a network that it cannot live in unless it is made for that.
const unpromised = "only a proxy leads out of this network, and the product file does not promise under networks that the device works there"

// declares reports whether the product file promises a network.
func declares(p *product.Product, name string) bool {
	return slices.ContainsFunc(p.Networks, func(n product.Network) bool { return n.Profile == name })
}

// promised are the networks to live in, with their limits.
func promised(t *check.T) []product.Network {
	declared := map[string]product.Network{}
	names := t.Profiles
	for _, n := range t.Product.Networks {
		declared[n.Profile] = n
		if t.Profiles == nil {
			names = append(names, n.Profile)
		}
	}
	var all []product.Network
	for _, name := range names {
		n := declared[name]
		n.Profile = name
		if n.ConnectWithin == 0 {
			n.ConnectWithin = product.Duration(t.Device.ConnectWithin())
			if p, err := profile.Named(name); err == nil && p.Portal != nil { // the next attempt may be as late as any
				n.ConnectWithin += product.Duration(t.Device.Cap())
			}
		}
		if n.CommandWithin == 0 {
			n.CommandWithin = product.Duration(usualCommand)
		}
		if n.Success == 0 {
			n.Success = usualSuccess
		}
		all = append(all, n)
	}
	return all
}

// live puts the network in place and lets days pass in it until the answer is clear.
func live(ctx context.Context, t *check.T, n product.Network, p profile.Profile) (life, error) {
	l := life{network: n, title: p.Title, first: t.Log.Len(), portal: p.Portal != nil}
	t.Step("its network is now: %s", p.Title)
	around, err := t.Enter(p, t.Access)
	if err != nil {
		return l, err
	}
	defer around.Leave()
	d := t.Device
	if around.Proxy != nil { // what it is told of the proxy, it is told when it is made
		if err := d.Stop(ctx); err != nil {
			return l, err
		}
		if d, err = t.Unit(2); err != nil {
			return l, err
		}
	}
	for l.rate.Trials < mostDays {
		d, err := spend(ctx, t, d, n, around)
		if err != nil {
			return l, err
		}
		l.days = append(l.days, d)
		l.rate.Add(d.note == "")
		if clear, _ := l.rate.Clear(n.Success, n.Success-hopeless); clear {
			break
		}
	}
	if around.Proxy != nil {
		if err := d.Stop(ctx); err != nil {
			return l, err
		}
	}
	l.last = t.Log.Len() - 1
	return l, nil
}

// spend powers the device on, waits for its session and gives it a command. A portal is shut as for somebody who has just come.
func spend(ctx context.Context, t *check.T, unit *testbed.Device, n product.Network, around *testbed.Surroundings) (day, error) {
	d := day{connected: -1, commanded: -1}
	if err := unit.Fresh(ctx); err != nil {
		return d, err
	}
	around.Shut()
	mark, start := t.Log.Len(), t.Clock.Now()
	if err := unit.Start(ctx); err != nil {
		return d, err
	}
	if opens := around.Opens(); opens.After(start) {
		start = opens
	}
	s, err := unit.NextSession(ctx, mark, start.Sub(t.Clock.Now())+time.Duration(n.ConnectWithin))
	switch {
	case errors.Is(err, testbed.ErrOffline):
		d.note = fmt.Sprintf("no session within %s", time.Duration(n.ConnectWithin))
		return d, nil
	case err != nil:
		return d, err
	}
	d.connected = max(0, s.Since.Sub(start))
	if !unit.TakesCommands() {
		return d, nil
	}
	start = t.Clock.Now()
	if err = unit.Settle(ctx, s); err == nil {
		c := unit.Command()
		mark = t.Log.Len()
		if err = s.Send(c); err == nil {
			_, err = unit.AwaitEffect(ctx, c, mark, time.Duration(n.CommandWithin))
		}
	}
	if ctx.Err() != nil {
		return d, ctx.Err()
	}
	d.commanded = t.Clock.Since(start)
	if err != nil {
		d.commanded, d.note = -1, fmt.Sprintf("a command had no effect within %s of the session", time.Duration(n.CommandWithin))
	}
	return d, nil
}

// account is the trials as the report shows them.
func (l life) account() evidence.Lived {
	var connected, commanded []time.Duration
	for _, d := range l.days {
		if d.connected >= 0 {
			connected = append(connected, d.connected)
		}
		if d.commanded >= 0 {
			commanded = append(commanded, d.commanded)
		}
	}
	a := evidence.Lived{
		Profile: l.network.Profile, Title: l.title, Trials: l.rate.Trials, Successes: l.rate.Successes, Promised: l.network.Success,
		Connect: middle(connected).Seconds(), Command: middle(commanded).Seconds(),
	}
	if l.portal {
		a.Note = "counted from the opening of the captive portal"
	}
	a.Low, a.High = l.rate.Interval()
	return a
}

// middle is the median, or 0.
func middle(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func judgeLife(l life) []check.Finding {
	_, high := l.rate.Interval()
	if _, good := l.rate.Clear(l.network.Success, l.network.Success-hopeless); good || high >= l.network.Success {
		return nil
	}
	why := map[string]int{}
	var order []string
	for _, d := range l.days {
		if d.note == "" {
			continue
		}
		if why[d.note]++; why[d.note] == 1 {
			order = append(order, d.note)
		}
	}
	for i, note := range order {
		order[i] = fmt.Sprintf("%d times %s", why[note], note)
	}
	since := ""
	if l.portal {
		since = " of the opening of the captive portal"
	}
	return []check.Finding{{
		Title: "Does not live up to what is promised in the network " + l.network.Profile,
		Expected: fmt.Sprintf("in %.0f %% of trials in session within %s%s, and a command carried out within %s", l.network.Success*100,
			time.Duration(l.network.ConnectWithin), since, time.Duration(l.network.CommandWithin)),
		Seen:      fmt.Sprintf("%s; %s", l.rate, strings.Join(order, ", ")),
		Evidence:  check.Range(l.first, l.last, "the trials"),
		Reproduce: " --profile " + l.network.Profile,
	}}
}
