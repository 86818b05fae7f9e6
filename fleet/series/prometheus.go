package series

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// PrometheusType is the content type of what Prometheus writes.
const PrometheusType = "text/plain; version=0.0.4; charset=utf-8"

const prefix = "shakedown_fleet_"

var counterHelp = [counters]string{
	"Connections that were begun.", "Connections that were accepted.", "Connections that were answered with a refusal.",
	"Attempts to connect that ended otherwise.", "Accepted connections that the other side ended.", "Messages written.",
	"Messages acknowledged.", "Messages answered with an error code.", "Messages that were due and could not be sent.",
	"Messages received by devices and the operator.", "Bytes written to sockets, with TLS.", "Bytes read from sockets, with TLS.",
	"Messages that still waited for an answer when the run ended.", "Latencies below zero, as two clocks do not agree.",
	"Devices that provisioning gave the identity of another.",
	"Devices that provisioning gave another identity when they asked again.",
	"Messages for all devices, once for each device that got it.",
	"TLS handshakes that resumed a session.",
}

// Prometheus writes the record as it stands in Prometheus' text format, version 0.0.4.
func (r *Record) Prometheus(to io.Writer) error {
	w := &exposition{bufio.NewWriter(to)}
	for c, n := range r.Totals.Counts {
		w.family(counterNames[c]+"_total", "counter", counterHelp[c])
		w.sample(counterNames[c]+"_total", float64(n))
	}
	var now Point
	if n := len(r.Points); n > 0 {
		now = r.Points[n-1]
	}
	for _, g := range []struct {
		name, help string
		value      int
	}{
		{"connected", "Devices with an accepted session.", now.Connected},
		{"devices", "Devices that are meant to have a session.", now.Devices},
		{"outstanding", "Messages and commands that wait for their answer.", now.Outstanding},
	} {
		w.family(g.name, "gauge", g.help)
		w.sample(g.name, float64(g.value))
	}
	w.classes("errors_total", "class", "Failures by their class.", r.Totals.Errors)
	w.classes("answers_total", "answer", "How the other side answered.", r.Totals.Answers)
	r.summaries(w)
	r.account(w)
	w.family("schedule_kept", "gauge", "1 while the generator does in time what is due: otherwise its latencies are not valid.")
	kept := 0.0
	if r.Own.Kept && r.Own.Invalid == "" {
		kept = 1
	}
	w.sample("schedule_kept", kept)
	return w.Flush()
}

// summaries writes the latencies.
func (r *Record) summaries(w *exposition) {
	if len(r.Totals.Latencies) == 0 {
		return
	}
	const name = "latency_seconds"
	w.family(name, "summary", "Latencies of the whole run, from the moment that was intended.")
	for _, l := range r.Totals.Latencies {
		timing := l.Timing.String()
		for _, q := range []struct {
			quantile string
			value    float64
		}{{"0.5", l.P50}, {"0.9", l.P90}, {"0.99", l.P99}, {"0.999", l.P999}, {"1", l.Max}} {
			w.sample(name, q.value, "timing", timing, "quantile", q.quantile)
		}
		w.sample(name+"_sum", l.Mean*float64(l.Count), "timing", timing)
		w.sample(name+"_count", float64(l.Count), "timing", timing)
	}
}

// account writes what became of the messages.
func (r *Record) account(w *exposition) {
	m := r.Messages
	if m == nil {
		return
	}
	w.family("messages", "gauge", "The account of every single message; lost is not final while messages are on their way.")
	states := []string{"sent", "acked"}
	values := []uint64{m.Sent, m.Acked}
	if m.Watched {
		states = append(states, "arrived", "lost", "lost_acked", "duplicates", "late", "leaked", "foreign", "strange", "unsent", "void")
		values = append(values, m.Arrived, m.Lost, m.LostAcked, m.Duplicates, m.Late, m.Leaked, m.Foreign, m.Strange, m.Unsent, m.Void)
	}
	for i, state := range states {
		w.sample("messages", float64(values[i]), "state", state)
	}
}

// exposition writes the text format; Flush tells of an error.
type exposition struct{ *bufio.Writer }

func (w *exposition) family(name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix, name, help, prefix, name, kind)
}

// sample writes one line; labels are name and value in turn.
func (w *exposition) sample(name string, value float64, labels ...string) {
	var b strings.Builder
	for i := 0; i+1 < len(labels); i += 2 {
		fmt.Fprintf(&b, `,%s="%s"`, labels[i], escape.Replace(labels[i+1]))
	}
	set := b.String()
	if set != "" {
		set = "{" + set[1:] + "}"
	}
	fmt.Fprintf(w, "%s%s%s %s\n", prefix, name, set, strconv.FormatFloat(value, 'g', -1, 64))
}

// classes writes a family with a sample for each class.
func (w *exposition) classes(name, label, help string, of Classes) {
	if len(of) == 0 {
		return
	}
	w.family(name, "counter", help)
	for _, class := range slices.Sorted(maps.Keys(of)) {
		w.sample(name, float64(of[class]), label, class)
	}
}

// escape makes a text fit for the value of a label.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
