//go:build peers

// Package network has real programs and a virtual machine join the in-process internet, and holds how they fare there against golden
// files: what they print, how they end, and what the stand-ins saw of them.
package network

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/clock"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unpacked is where scripts/peers puts programs that must not be installed: daemons that would start, and a kernel.
const unpacked = "../../.peers"

// peer is one program in a network.
type peer struct {
	name    string
	script  string // run by sh; what it prints is compared
	dhcp    bool   // it gets its address itself
	answers bool   // what the stand-ins answered is compared too
	arrange arrange
}

// arrange sets the network up for a peer; dir is where its script runs.
type arrange func(t *testing.T, b *testbed.Bed, dir string)

// peers are all of them; each file of this folder adds its own.
var peers = slices.Concat(
	addressPeers, udhcpcPeers, dhclientPeers, namesPeers, timePeers, webPeers, homePeers, cloudPeers, natPeers, gatewayPeers, sixPeers,
)

func TestPeers(t *testing.T) {
	t.Parallel()
	if err := join.Available(); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			b, dir := open(t), t.TempDir()
			if p.arrange != nil {
				p.arrange(t, b, dir)
			}
			output := run(t, b.Log, b.Place("device", !p.dhcp), dir, p.script)
			compare(t, p.name, output+"\nseen by the stand-ins:\n"+seen(b.Log, p.answers))
		})
	}
}

func open(t *testing.T) *testbed.Bed {
	t.Helper()
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	b, err := testbed.OpenNetwork(clk, log, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		log.Close()
	})
	return b
}

// run runs a script in the place, waits until the stand-ins have seen what it sent, and gives what it printed and how it ended.
func run(t *testing.T, log *evidence.Log, place join.Place, dir, script string) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join(unpacked, "root"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "ROOT="+root, "LC_ALL=C", "PATH="+root+"/usr/sbin:"+root+"/usr/bin:"+os.Getenv("PATH")+":/usr/sbin:/sbin",
		"LD_LIBRARY_PATH="+root+"/usr/lib/x86_64-linux-gnu")
	cmd.WaitDelay = time.Second
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := place.Prepare(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := p.Enter(); err != nil {
		p.Close()
		_ = cmd.Wait()
		t.Fatal(err)
	}
	defer context.AfterFunc(ctx, p.Close)()
	_ = cmd.Wait()
	settled(log)
	if ctx.Err() != nil {
		t.Errorf("it did not end in time")
	}
	return fmt.Sprintf("%s\nends with %d\n", strings.TrimRight(settle(out.String()), "\n"), cmd.ProcessState.ExitCode())
}

// settled waits until nothing more happens.
func settled(log *evidence.Log) {
	limit := time.Now().Add(10 * time.Second)
	for seen, since := log.Len(), time.Now(); time.Since(since) < 700*time.Millisecond && time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		if n := log.Len(); n != seen {
			seen, since = n, time.Now()
		}
	}
}

// What differs from run to run.
var fickle = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`(?m)^.*(deprecated|WARNING).*\n`), ""},
	{regexp.MustCompile(`xid [0-9a-f]+|\(xid=0x[0-9a-f]+\)`), "xid N"},
	{regexp.MustCompile(`\bid \d+`), "id N"},
	{regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):\d+`), "$1:PORT"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ][0-9:.]+(Z|[+-]\d\d:\d\d)?`), "TIME"},
	{regexp.MustCompile(`\d+ milliseconds|interval \d+|renewal in \d+ seconds| Local service cookie is \d+\.|Uptime : .*|uptime=.*|duration=\d+|'' \d+`), "N"},
	{regexp.MustCompile(`((announcement|goodbye|probe) from [0-9.]+), .*`), "$1"}, // the order of records differs
	{regexp.MustCompile(`transmit [0-9a-f]+|id=0x[0-9a-f]+|notAfter=.*`), "N"},
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},
}

// decimal is a number of seconds, or an address.
var decimal = regexp.MustCompile(`[+-]?\d+(\.\d+)+`)

func settle(text string) string {
	for _, f := range fickle {
		text = f.pattern.ReplaceAllString(text, f.by)
	}
	return decimal.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil { // an address
			return s
		}
		return strconv.FormatFloat(math.Round(n)+0, 'f', 0, 64) // -0 + 0 is 0
	})
}

// seen is what the stand-ins saw, and sent where answers is set, each sort once.
func seen(log *evidence.Log, answers bool) string {
	var lines []string
	for _, e := range log.Since(0) {
		if e.Kind == evidence.In || e.Kind == evidence.Bad || e.Kind == evidence.Seen || answers && e.Kind == evidence.Out {
			lines = append(lines, settle(fmt.Sprintf("  %s %s: %s\n", e.Kind, e.Part, e.Text)))
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "")
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("golden", name+".txt")
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
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("it fares differently (-golden +now):\n%s", diff)
	}
}
