//go:build peers

package swarm

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/checks/load"
	"github.com/shakedown-test/shakedown/cli"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

var update = flag.Bool("update", false, "write the golden files anew")

// realTime are the checks that wait for what a broker does by its own clock. The times of all others are shorter than they are for a user.
var realTime = []string{"load.half-open", "load.broker-limits", "load.duplicate-ids"}

// brokerFile is a product file of this folder, and how its checks are run.
type brokerFile struct {
	file    string
	address string   // of the broker; empty: it is started for each check
	shared  bool     // it is not
	heaps   int      // runs beside each other, each with devices and topics of its own
	jobs    int      // checks beside each other, in each of them
	speed   int      // so many times shorter are their times …
	slow    []string // … but those of these
}

// compare holds the outcomes of the checks against the golden file.
func (b brokerFile) compare(t *testing.T) {
	got := b.outcomes(t, nil)
	golden := filepath.Join("golden", b.file+".txt")
	if *update {
		if err := os.WriteFile(golden, []byte(text(got)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var again []string // seen twice, it is no accident of a busy machine
	for id, block := range got {
		if !strings.Contains(string(want), block) {
			again = append(again, id)
		}
	}
	if len(again) > 0 && len(again) <= 3 {
		t.Logf("once more: %q", again)
		for id, block := range b.outcomes(t, again) {
			got[id] = block
		}
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text(got), "\n")); diff != "" {
		t.Errorf("outcomes changed (-golden +now):\n%s", diff)
	}
}

// text is what is in a golden file.
func text(blocks map[string]string) string {
	var all []string
	for _, block := range blocks {
		all = append(all, block)
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// outcomes runs these checks, or all, and gives for each of them what a golden file says of it.
func (b brokerFile) outcomes(t *testing.T, only []string) map[string]string {
	t.Helper()
	var runs [][]*check.Check
	var rest []*check.Check
	for _, c := range load.Risk.Checks {
		switch {
		case c.Needs.Real != product.Cloud || only != nil && !slices.Contains(only, c.ID):
		case slices.Contains(realTime, c.ID) || slices.Contains(b.slow, c.ID):
			runs = append(runs, []*check.Check{c})
		default:
			rest = append(rest, c)
		}
	}
	timed := len(runs)
	runs = append(runs, dealt(rest, b.heaps)...)
	found := make(chan map[string]string, len(runs))
	for i, heap := range runs {
		speed := b.speed
		if i < timed {
			speed = 1
		}
		go func() { found <- b.run(t, heap, i, speed) }()
	}
	all := map[string]string{}
	for range runs {
		for id, block := range <-found {
			all[id] = block
		}
	}
	return all
}

// dealt are the checks in n heaps that take about the same time.
func dealt(all []*check.Check, n int) [][]*check.Check {
	heaps, length := make([][]*check.Check, n), make([]time.Duration, n)
	slices.SortStableFunc(all, func(a, b *check.Check) int { return int(b.Typical - a.Typical) })
	for _, c := range all {
		i := slices.Index(length, slices.Min(length))
		heaps[i], length[i] = append(heaps[i], c), length[i]+c.Typical
	}
	return heaps
}

var number = regexp.MustCompile(`\d+(\.\d+)?`)

func blur(s string) string { return number.ReplaceAllString(s, "N") }

// run runs some checks, with times that are so many times shorter, and gives a block of lines for each: its outcome, and the severity and
// title of its findings, without numbers, which differ from run to run.
func (b brokerFile) run(t *testing.T, list []*check.Check, n, speed int) map[string]string {
	if len(list) == 0 {
		return nil
	}
	dir := t.TempDir()
	source, err := os.ReadFile(b.file + ".yaml")
	if err != nil {
		t.Error(err)
		return nil
	}
	own := strings.NewReplacer(".peers", peer(t, ""), "meter", fmt.Sprint("meter", n), "127.0.0.1:1883", b.address).Replace(string(source))
	if speed > 1 {
		own += fmt.Sprintf("declared: {timers_speed: %d}\n", speed)
	}
	file := filepath.Join(dir, "product.yaml")
	if err := os.WriteFile(file, []byte(own), 0o600); err != nil {
		t.Error(err)
		return nil
	}
	var ids []string
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	var out, progress bytes.Buffer
	sys := cli.System{
		Args:  []string{"run", file, "--out", filepath.Join(dir, "run"), "--seed", fmt.Sprint(n + 1), "--jobs", fmt.Sprint(b.jobs), "--format", "json", "--only", strings.Join(ids, ",")},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &progress, Getenv: func(string) string { return "" }, Now: time.Now,
		Size:    func() (int, int) { return 80, 24 },
		Signals: func() (<-chan os.Signal, func()) { return nil, func() {} }, Exit: os.Exit,
	}
	code := cli.Main(sys, checks.All())
	var doc struct {
		Results []evidence.Result `json:"results"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Results) == 0 {
		t.Errorf("%s: exit %d, %v\n%s", b.file, code, err, progress.String())
		return nil
	}
	if testing.Verbose() {
		io.Copy(os.Stderr, &progress)
	}
	blocks := map[string]string{}
	for _, r := range doc.Results {
		block := fmt.Sprintf("%-14s %s\n", r.Outcome, r.Check)
		if len(r.Findings) == 0 && r.Reason != "" {
			block += "    " + blur(r.Reason) + "\n"
		}
		var titles []string
		for _, f := range r.Findings {
			titles = append(titles, fmt.Sprintf("    %s: %s\n", f.Severity, blur(f.Title)))
			t.Logf("%s: %s: %s: %s", b.file, r.Check, f.Title, f.Seen)
		}
		slices.Sort(titles)
		blocks[r.Check] = block + strings.Join(slices.Compact(titles), "")
	}
	return blocks
}
