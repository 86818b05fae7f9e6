package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// terminal understands what screen writes: enough to see what a person sees.
type terminal struct {
	lines  []string
	row    int
	hidden bool
	writes int
}

var sequence = regexp.MustCompile(`^\x1b\[(\??)(\d*)([A-Za-z])`)

func (t *terminal) Write(p []byte) (int, error) {
	t.writes++
	for s := string(p); s != ""; {
		m := sequence.FindStringSubmatch(s)
		switch {
		case m != nil && m[3] == "A":
			n, _ := strconv.Atoi(m[2])
			t.row -= n
		case m != nil && m[3] == "J":
			t.lines = t.lines[:t.row]
		case m != nil && m[2] == "25":
			t.hidden = m[3] == "l"
		case m != nil:
		case s[0] == '\n':
			t.row++
		case s[0] == '\r':
		default:
			end := strings.IndexAny(s, "\x1b\r\n")
			if end < 0 {
				return 0, fmt.Errorf("a line without end: %q", s)
			}
			for len(t.lines) <= t.row {
				t.lines = append(t.lines, "")
			}
			t.lines[t.row] = s[:end]
			s = s[end:]
			continue
		}
		s = s[max(1, len(strings.Join(m[:min(len(m), 1)], ""))):]
	}
	return len(p), nil
}

func size(columns, rows int) func() (int, int) { return func() (int, int) { return columns, rows } }

func TestScreen(t *testing.T) {
	var term terminal
	s := newScreen(&term, size(80, 24), true)
	sees := func(want ...string) {
		t.Helper()
		if got := strings.Join(term.lines, "|"); got != strings.Join(want, "|") {
			t.Errorf("the person sees %q, want %q", got, want)
		}
	}
	s.draw([]row{{"3/9", "bold"}, {"a", ""}, {"b", ""}})
	sees("3/9", "a", "b")
	s.above(row{"blocker  it burns", "blocker"})
	s.draw([]row{{"4/9", "bold"}, {"b", ""}})
	sees("blocker  it burns", "4/9", "b")
	if !term.hidden || term.writes != 2 {
		t.Errorf("cursor hidden: %v; %d writes for two drawings", term.hidden, term.writes)
	}
	s.above(row{"for the person", ""})
	s.pause()
	sees("blocker  it burns", "for the person")
	if term.hidden {
		t.Error("the person types without a cursor")
	}
	s.draw([]row{{"5/9", ""}})
	sees("blocker  it burns", "for the person")
	s.resume()
	s.draw([]row{{"5/9", ""}})
	s.close()
	s.close()
	s.draw([]row{{"6/9", ""}})
	sees("blocker  it burns", "for the person")
	if term.hidden {
		t.Error("the cursor is still hidden")
	}
}

// testWatch is a watch of a run with three jobs, with the clock at *now.
func testWatch(now *time.Time) *watch {
	a := &app{System: System{
		Now: func() time.Time { return *now }, Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stderr: io.Discard,
	}}
	w := a.newWatch(context.Background(), 3, campaign.Pace{})
	w.screen = newScreen(&terminal{}, size(80, 24), true)
	return w
}

func TestProgress(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := testWatch(&now)
	first := evidence.Job{Check: "fault.reconnect-backoff", Variant: "current"}
	w.Started(first)
	w.Started(evidence.Job{Check: "fault.other", Variant: "current"})
	w.Step(first, "wait for\x1b[31m the attempt")
	now = now.Add(12 * time.Second)
	w.Ended(evidence.Result{
		Check: "fault.other", Variant: "current", Outcome: evidence.Fail, Seconds: 12,
		Findings: []evidence.Finding{{Severity: evidence.Blocker, Title: "Never comes back"}},
	})

	for columns := range 200 {
		for lines := range 30 {
			for _, r := range w.rows(columns, lines) {
				if n := len([]rune(r.text)); n > max(1, columns) {
					t.Fatalf("at %d columns a row has %d: %q", columns, n, r.text)
				}
			}
			if n := len(w.rows(columns, lines)); lines > 4 && n >= lines {
				t.Fatalf("%d rows at %d lines", n, lines)
			}
		}
	}
	rows := w.rows(80, 24)
	if want := "[██████████░░░░░░░░░░░░░░░░░░░░] 1/3, a moment left, 1 blocker"; rows[0].text != want {
		t.Errorf("got  %q\nwant %q", rows[0].text, want)
	}
	if text := rows[1].text; !strings.HasPrefix(text, "  fault.reconnect-backoff (current)  wait for [31m the attempt") || !strings.HasSuffix(text, " 12 s") {
		t.Errorf("got %q", text)
	}
}

// TestTimeLeft holds that jobs which end at once, because they cannot be carried out or are quick, make the rest look no quicker.
func TestTimeLeft(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := testWatch(&now)
	c := &check.Check{ID: "fault.slow", Typical: 10 * time.Second}
	w.pace = campaign.PaceOf(campaign.Options{Product: &product.Product{}, Parallel: 2, Risks: []check.Risk{{Checks: []*check.Check{c}}}})
	for n := range 10 {
		w.left[evidence.Job{Check: c.ID, Repeat: n}] = c.Typical
	}
	begin := func(n int) { w.Started(evidence.Job{Check: c.ID, Repeat: n}) }
	end := func(n int, o evidence.Outcome, s float64) {
		w.Ended(evidence.Result{Check: c.ID, Repeat: n, Outcome: o, Seconds: s})
	}
	left := func(want string) {
		t.Helper()
		if got, _ := w.timeLeft(now); got != want {
			t.Errorf("after %s: got %q, want %q", now.Sub(w.begun), got, want)
		}
	}
	left("about 50 s left")
	for n := range 4 {
		begin(n)
	}
	end(0, evidence.NotRun, 0)
	end(1, evidence.NotApplicable, 0)
	left("about 40 s left")
	now = now.Add(8 * time.Second)
	left("about 32 s left")
	now = now.Add(12 * time.Second) // twice as long as they say
	left("about 54 s left")
	end(2, evidence.Pass, 20)
	end(3, evidence.Pass, 20)
	left("about 54 s left")
}

// TestFindingsAreToldOnce holds that what every variant shows is one line.
func TestFindingsAreToldOnce(t *testing.T) {
	now := time.Now()
	w := testWatch(&now)
	for _, variant := range []string{"a", "b"} {
		w.Ended(evidence.Result{Check: "x.y", Variant: variant, Outcome: evidence.Fail, Findings: []evidence.Finding{{Severity: evidence.Major, Title: "Same"}}})
	}
	if n := len(w.screen.stays); n != 2 || w.found[evidence.Major] != 2 {
		t.Errorf("%d lines, %d counted", n, w.found[evidence.Major])
	}
}

func TestAsk(t *testing.T) {
	r, typed := io.Pipe()
	defer r.Close()
	a := &app{System: System{Stdin: r, Stderr: io.Discard}}
	who := a.person()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := who.ask(ctx, "ready? "); !errors.Is(err, context.Canceled) {
		t.Errorf("a question after the end: %v", err)
	}
	go fmt.Fprint(typed, "yes\r\nno\n")
	for _, want := range []string{"yes", "no"} {
		if got, err := who.ask(context.Background(), "? "); got != want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	typed.Close()
	if _, err := who.ask(context.Background(), "? "); !errors.Is(err, errNobody) {
		t.Errorf("after the end of the input: %v", err)
	}
	goleak.VerifyNone(t)
}

func TestInterview(t *testing.T) {
	answers := "Hall lamp\nserial\nprocess\n./lamp {broker.port}\n\nlamp/t\nlamp/set\nlamp/state\npayload.n == n\n"
	a := &app{System: System{Stdin: strings.NewReader(answers), Stderr: io.Discard}}
	f := initFlags{protocol: "mqtts"}
	f.o.Driver = "process"
	given := func(flag string) bool { return flag == "command-payload" }
	if err := a.interview(context.Background(), given, &f); err != nil {
		t.Fatal(err)
	}
	o := f.o
	if o.Name != "Hall lamp" || o.Driver != "process" || o.Command != "./lamp {broker.port}" || f.protocol != "mqtts" || o.Telemetry != "lamp/t" ||
		o.CommandTopic != "lamp/set" || o.CommandPayload != "" || o.Effect.Topic != "lamp/state" || o.Effect.When != "payload.n == n" {
		t.Errorf("%+v", f)
	}
}

func TestTextHelpers(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1500 * time.Millisecond: "1.5 s", 42 * time.Second: "42 s", 3 * time.Minute: "3 min", 3 * time.Hour: "3.0 h",
	} {
		if got := roughly(d); got != want {
			t.Errorf("roughly(%v) = %q, want %q", d, got, want)
		}
	}
	var b strings.Builder
	wrap(&b, "  hint: ", strings.Repeat("word ", 30)+"\x1b[2J")
	for line := range strings.Lines(b.String()) {
		if len(line) > textWidth+1 || strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
	}
	if got := upperFirst("äh"); got != "Äh" {
		t.Error(got)
	}
}

func TestColours(t *testing.T) {
	for _, c := range []struct {
		env      map[string]string
		terminal bool
		want     bool
	}{
		{nil, true, true},
		{nil, false, false},
		{map[string]string{"NO_COLOR": "1"}, true, false},
		{map[string]string{"TERM": "dumb"}, true, false},
	} {
		s := System{Getenv: func(k string) string { return c.env[k] }}
		if got := s.colours(c.terminal); got != c.want {
			t.Errorf("%v on a terminal %v: %v", c.env, c.terminal, got)
		}
	}
}

func TestParallel(t *testing.T) {
	for _, c := range []struct {
		driver      string
		jobs, cores int
		want        int
	}{
		{"reference", 0, 2, 64}, {"process", 0, 2, 16}, {"process", 0, 64, 64}, {"exec", 0, 8, 1}, {"human", 0, 2, 4}, {"process", 5, 2, 5},
	} {
		if got := parallel(&product.Product{Parts: []product.Part{{Driver: c.driver}}}, c.jobs, c.cores); got != c.want {
			t.Errorf("%s on %d cores: %d at once, want %d", c.driver, c.cores, got, c.want)
		}
	}
}
