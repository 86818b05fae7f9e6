// Link measures what the links of Shakedown cost and how exact they are, in one run, and prints a table with the bar for each figure.
//
//	go run ./bench/link
//
// Figures are those of the machine that it runs on, with all else that runs there: take an idle one. What needs root and a TAP device is
// left out without them.
package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one line of the table.
type figure struct {
	name  string
	value float64
	unit  string
	bar   float64
	most  bool // the bar is the most that is allowed, not the least
	note  string
}

// benches are what is measured, in the order of the table.
var benches = []struct {
	name    string
	measure func() ([]figure, error)
}{
	{"latency", latency},
	{"latency-tap", latencyTAP},
	{"tcp", tcp},
	{"packets", packets},
	{"packets-tap", packetsTAP},
	{"worlds", worlds},
	{"stream", stream},
}

func main() {
	fmt.Printf("%s, %s/%s, %d cores\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	missed, only := 0, os.Args[1:]
	for _, b := range benches {
		if len(only) > 0 && !slices.Contains(only, b.name) {
			continue
		}
		figures, err := b.measure()
		if err != nil {
			fmt.Fprintf(table, "%s\tnot measured\t\t%s\n", b.name, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		for _, f := range figures {
			missed += f.print(table)
		}
	}
	table.Flush()
	if missed > 0 {
		fmt.Printf("\n%d figures miss their bar\n", missed)
		os.Exit(1)
	}
}

func (f figure) print(table *tabwriter.Writer) (missed int) {
	verdict, sign := "ok", ">="
	if f.most {
		sign = "<="
	}
	if f.most && f.value > f.bar || !f.most && f.value < f.bar {
		verdict, missed = "MISSED", 1
	}
	bar := fmt.Sprintf("%s %.4g %s", sign, f.bar, f.unit)
	if f.bar == 0 {
		bar, verdict, missed = "", "", 0
	}
	fmt.Fprintf(table, "%s\t%.4g %s\t%s\t%s\t%s\n", f.name, f.value, f.unit, bar, verdict, f.note)
	return missed
}

// percentile is the value below which the share p of sorted spans is, in milliseconds.
func percentile(sorted []time.Duration, p float64) float64 {
	return float64(sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]) / 1e6
}
