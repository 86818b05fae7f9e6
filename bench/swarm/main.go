//go:build linux

// Swarm measures what a fleet of shakedown swarm costs and how true its figures are, in one run, beside floors that move the same bytes
// and beside other load generators, and prints a table with the bar for each figure.
//
//	go run ./bench/swarm [-only memory,cpu,…] [-runs 5] [-long]
//
// All that is measured is a process of its own; CPU is what the operating system says that it used while the far end counted what came.
// Far ends, floors and relays are processes of this program. Runs alternate, the figure is their median. bench/swarm/peers.sh installs the
// other generators; one that is not there is named and left out. k6 is left out always: its licence is the AGPL. Ratios of CPU hold on a
// machine that does other work as well, spans of time do not. What is interrupted leaves no process and no temporary file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	what, bar, measured string
	met                 verdict
}

type verdict int

const (
	none verdict = iota // there is no bar
	met
	missed
	absent
	leftOut // a peer that is not there
)

func (v verdict) String() string {
	return [...]string{"", "met", "MISSED", "NOT MEASURED", "LEFT OUT"}[v]
}

// holds is the verdict on a bar.
func holds(ok bool) verdict {
	if ok {
		return met
	}
	return missed
}

// run is what all parts share.
type run struct {
	runs int
	long bool
	dir  string // for files of this run
	rows []row
	list *tabwriter.Writer
}

func (r *run) row(what, bar, measured string, v verdict) {
	r.rows = append(r.rows, row{what, bar, measured, v})
	fmt.Fprintf(r.list, "%s\t%s\t%s\t%s\n", what, bar, measured, v)
	r.list.Flush()
}

// parts are what is measured, in the order of the table.
var parts = []struct {
	name    string
	measure func(*run) error
}{
	{"floors", floors},
	{"memory", memoryPart},
	{"cpu", cpuPart},
	{"connect", connectPart},
	{"devices", devicesPart},
	{"latency", latencyPart},
	{"counts", countsPart},
	{"limits", limitsPart},
	{"coap", coapPart},
	{"http", httpPart},
	{"distribution", distributionPart},
	{"brokers", brokersPart},
	{"length", lengthPart},
}

func main() {
	if len(os.Args) == 3 && roles[os.Args[1]] != nil {
		play(os.Args[1], os.Args[2])
		return
	}
	r := &run{list: tabwriter.NewWriter(os.Stdout, 44, 0, 2, ' ', 0)}
	only := flag.String("only", "", "parts to measure, with commas between")
	flag.IntVar(&r.runs, "runs", 5, "runs of each side, of which the median counts")
	flag.BoolVar(&r.long, "long", false, "measure length as well: 30 minutes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := running.within(ctx, func(dir string) error {
		r.dir = dir
		return r.all(*only)
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/swarm:", err)
		if errors.Is(err, errInterrupted) {
			os.Exit(130)
		}
		os.Exit(1)
	}
}

func (r *run) all(only string) error {
	fmt.Printf("%s, %s/%s, %d cores, %s, medians of %d\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load(), r.runs)
	fmt.Println("k6: LEFT OUT, its licence (AGPL) is not one that this project runs")
	for _, p := range parts {
		if only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
			continue
		}
		start := time.Now()
		if err := p.measure(r); err != nil {
			r.row(p.name, "", strings.ReplaceAll(err.Error(), "\n", "; "), absent)
		}
		fmt.Printf("(%s: %s, %s)\n", p.name, time.Since(start).Round(time.Second), load())
	}
	count := 0
	for _, row := range r.rows {
		if row.met == missed || row.met == absent {
			count++
		}
	}
	if count > 0 {
		return fmt.Errorf("%d of %d figures miss their bar or were not measured", count, len(r.rows))
	}
	return nil
}

// load is how busy the machine is.
func load() string {
	b, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(b), " ")
	return "load " + first
}

// median is that of some figures.
func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
