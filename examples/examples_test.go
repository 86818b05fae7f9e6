//go:build peers

// Package examples runs Shakedown on real programs and holds what it says of them against golden files. README.md says what was
// found, and how far it was checked by hand.
package examples

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
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/cli"
	"github.com/shakedown-test/shakedown/evidence"
)

var update = flag.Bool("update", false, "write the golden files anew")

type example struct {
	file, name string
	skip       []string // further arguments: checks of risks that the product file excludes, or those that are of interest
}

// The product files, relative to this folder, the longest first, with the name of their golden file.
var examples = []example{
	{file: "paho/product.yaml", name: "paho"},
	{file: "dhcp/product.yaml", name: "udhcpc", skip: []string{"--only", "protocol.connect-happy,environment.dhcp,environment.power-cut-all," +
		"environment.router-reboot,environment.gateway-replaced,environment.unsettled-network,environment.ipv6-only"}},
	{file: "mosquitto_pub.yaml", name: "mosquitto_pub", skip: []string{"--skip", "fault."}},
	{file: "wget/product.yaml", name: "wget", skip: ofHTTP},
	{file: "mqttjs/product.yaml", name: "mqttjs"},
	{file: "mosquitto-broker.yaml", name: "mosquitto-broker", skip: withoutFleet},
	{file: "curl/product.yaml", name: "curl", skip: ofHTTP},
	{file: "libcoap/product.yaml", name: "libcoap-client"},
	{file: "mosquitto_sub.yaml", name: "mosquitto_sub"},
	{file: "aedes-broker.yaml", name: "aedes-broker", skip: withoutFleet},
	{file: "mosquitto_sub-world.yaml", name: "mosquitto_sub-world", skip: []string{"--only", "protocol.connect-happy,environment.nat-forgets," +
		"environment.nat-address,environment.gateway-replaced,environment.dns-ttl,environment.dns-failover,environment.dns-hardcoded," +
		"environment.dns-answers,environment.dhcp-renew,environment.link-loss,environment.link-bandwidth,environment.open-ports,environment.mtu-1492,environment.unsettled-network"}},
	{file: "libcoap/server.yaml", name: "libcoap-server", skip: withoutFleet},
}

// withoutFleet leaves out what puts a fleet in front of a broker: those are minutes of real time, and examples/swarm has brokers under load.
var withoutFleet = []string{
	"--skip", "load", "--skip", "fault.tenancy-across-deploy", "--skip", "fault.tenancy-under-reconnect",
	"--skip", "telemetry.acknowledged-kept", "--skip", "telemetry.no-duplicates", "--skip", "telemetry.order-under-load",
}

// ofHTTP selects the checks that are about HTTP.
var ofHTTP = []string{
	"--only", "protocol.http", "--only", "security.http", "--only", "fault.http", "--only", "environment.http", "--only", "fault.cloud-brownout",
}

// atOnce is how many are run at once: most of a run is waiting, but the programs must not wait for each other.
const atOnce = 6

func TestExamples(t *testing.T) {
	t.Chdir("..") // the commands in the product files are relative to the repository
	todo := make(chan example, len(examples))
	for _, e := range examples {
		todo <- e
	}
	close(todo)
	var all sync.WaitGroup
	for range atOnce { // not t.Parallel, which does not keep the order
		all.Go(func() {
			for e := range todo {
				t.Run(e.name, e.test)
			}
		})
	}
	all.Wait()
}

func (e example) test(t *testing.T) {
	got := outcomes(t, filepath.Join("examples", e.file), e.skip)
	golden := filepath.Join("examples", "golden", e.name+".txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if changed := differing(string(want), got); len(changed) > 0 && len(changed) <= 5 {
		// Seen twice, it is no accident of a busy machine.
		again := outcomes(t, filepath.Join("examples", e.file), append(slices.Clone(e.skip), "--only", strings.Join(changed, ",")))
		got = merge(got, again, changed)
	}
	if diff := cmp.Diff(settle(strings.Split(string(want), "\n"), got), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s: outcomes changed (-golden +now):\n%s", e.file, diff)
	}
}

// blocks gives the lines of each check.
func blocks(text string) map[string]string {
	all := map[string]string{}
	id := ""
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); !strings.HasPrefix(line, " ") && len(words) > 1 {
			id = words[1]
		}
		all[id] += line
	}
	return all
}

// merge is got with the lines of these checks taken from again.
func merge(got, again string, ids []string) string {
	all, newer := blocks(got), blocks(again)
	for _, id := range ids {
		all[id] = newer[id]
	}
	var lines []string
	for _, block := range all {
		lines = append(lines, strings.TrimSuffix(block, "\n"))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// differing are the checks whose lines are not those of the golden file.
func differing(golden, got string) (ids []string) {
	want := blocks(strings.Join(settle(strings.Split(golden, "\n"), got), "\n"))
	for id, block := range blocks(got) {
		if want[id] != block {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// settle chooses, in each golden line that gives alternatives, "a | b", the one that was got: where a program loses a race against
// itself now and then, it shows the one or the other.
func settle(golden []string, got string) []string {
	for i, line := range golden {
		for _, one := range strings.Split(line, " | ") {
			if one = "    " + strings.TrimSpace(one); strings.Contains(got, one+"\n") && strings.Contains(line, " | ") {
				golden[i] = one
			}
		}
	}
	return golden
}

// outcomes runs the product file and gives a line for each check that is about a part of it: its outcome, and the severity and title
// of its findings. Numbers are left out: they differ from run to run.
func outcomes(t *testing.T, file string, skip []string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	var out, progress bytes.Buffer
	sys := cli.System{
		Args: append([]string{"run", file, "--out", dir, "--seed", "1", "--format", "json"}, skip...), Stdin: strings.NewReader(""),
		Stdout: &out, Stderr: &progress, Getenv: func(string) string { return "" }, Now: time.Now,
		Size:    func() (int, int) { return 80, 24 },
		Signals: func() (<-chan os.Signal, func()) { return nil, func() {} }, Exit: os.Exit,
	}
	code := cli.Main(sys, checks.All())
	var doc struct {
		Results []evidence.Result `json:"results"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Results) == 0 {
		t.Fatalf("%s: exit %d, %v\n%s", file, code, err, progress.String())
	}
	if t.Failed() || testing.Verbose() {
		io.Copy(os.Stderr, &progress)
	}
	var lines []string
	for _, r := range doc.Results {
		if strings.HasSuffix(r.Reason, " is a stand-in here") || strings.Contains(r.Reason, "connects over this machine's own network") || noFile.MatchString(r.Reason) {
			continue // not under test, or not in a world
		}
		line := fmt.Sprintf("%-14s %s", r.Outcome, r.Check)
		if len(r.Findings) == 0 && r.Reason != "" {
			line += "\n    " + blur(r.Reason)
		}
		var titles []string
		for _, f := range r.Findings {
			titles = append(titles, "\n    "+string(f.Severity)+": "+blur(f.Title))
		}
		slices.Sort(titles)
		lines = append(lines, line+strings.Join(slices.Compact(titles), ""))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

var number = regexp.MustCompile(`\d+(\.\d+)?`)

// noFile is the reason of the checks of what a product ships where it ships nothing.
var noFile = regexp.MustCompile(`^the product file names no (firmware image|app package|endpoint)`)

func blur(s string) string { return number.ReplaceAllString(s, "N") }

func TestMerge(t *testing.T) {
	golden := "fail           a.one\n    minor: slow | minor: late\npass           b.two\npass           c.three\n"
	first := "fail           a.one\n    minor: late\nfail           b.two\n    major: N lost\npass           c.three\n"
	changed := differing(golden, first)
	if !slices.Equal(changed, []string{"b.two"}) {
		t.Fatalf("%q differ, want b.two alone", changed)
	}
	want := "fail           a.one\n    minor: late\npass           b.two\npass           c.three\n"
	if got := merge(first, "pass           b.two\npass           b.two-more\n", changed); got != want {
		t.Errorf("merged:\n%swant:\n%s", got, want)
	}
}
