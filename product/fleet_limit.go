package product

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Limit is what must hold of a fleet's run, such as "connect p99 < 5 s".
type Limit struct {
	What    string  // a timing such as "connect", a count such as "lost", "back" or "connected"
	Of      string  // of a timing: p50, p90, p95, p99, p99.9, max or mean
	Op      string  // <, <=, =, >= or >
	Value   float64 // seconds of a timing and of back; a share from 0 to 1 with Percent; else a number
	Percent bool

	text string
}

// String is the limit as it was written, with single spaces.
func (l Limit) String() string { return l.text }

// Timed reports whether the limit is one of time.
func (l Limit) Timed() bool { return l.Of != "" || l.What == "back" }

// Holds compares what was measured, in the unit of Value.
func (l Limit) Holds(seen float64) bool {
	switch l.Op {
	case "<":
		return seen < l.Value
	case "<=":
		return seen <= l.Value
	case ">":
		return seen > l.Value
	case ">=":
		return seen >= l.Value
	}
	return seen == l.Value
}

var (
	limitTimings = []string{"connect", "tls", "ack", "delivery", "command", "answer", "lag"}
	limitStats   = []string{"p50", "p90", "p95", "p99", "p99.9", "max", "mean"}
	limitCounts  = []string{
		"lost", "lost acked", "duplicates", "late", "leaked", "foreign", "refused", "errors", "broken", "dropped", "rejected", "withheld",
		"unanswered",
	}
	limitWords = slices.Concat(limitTimings, limitCounts, []string{"back", "connected"})
	limitUnits = map[string]float64{"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600}
)

// ParseLimit reads a limit:
//
//	connect|tls|ack|delivery|command|answer|lag  p50|p90|p95|p99|p99.9|max|mean  <|<=  number us|ms|s|min|h
//	lost|lost acked|duplicates|late|leaked|foreign|refused|errors|broken|dropped|rejected|withheld|unanswered  <|<=|=  number [%]
//	back  <|<=  number unit
//	connected  >|>=|=  number [%]
//
// Spaces between words, signs and numbers may be left out. An error has a hint with the nearest word.
func ParseLimit(text string) (Limit, error) {
	wrong := func(hint, format string, args ...any) (Limit, error) {
		return Limit{}, fmt.Errorf("read the limit %q: %s\nhint: %s", clipped(text), fmt.Sprintf(format, args...), hint)
	}
	words, op, value := limitParts(text)
	l := Limit{What: strings.Join(words, " "), Op: op, text: strings.Join(slices.Concat(words, []string{op}, value), " ")}
	const shape = `a limit is written such as "connect p99 < 5 s", "lost = 0", "back < 60 s" or "connected >= 99 %"`
	if len(words) == 0 || op == "" || len(value) == 0 {
		return wrong(shape, "it has no %s", map[bool]string{true: "subject", false: "comparison with a value"}[len(words) == 0])
	}
	if n := len(words); n > 1 && slices.Contains(limitStats, words[n-1]) || slices.Contains(limitTimings, words[0]) {
		l.What = words[0]
		if !slices.Contains(limitTimings, l.What) {
			return wrong(DidYouMean(l.What, limitTimings), "%q is no latency", l.What)
		}
		switch {
		case n == 1:
			return wrong(fmt.Sprintf(`write which: "%s p99 %s %s"`, l.What, op, strings.Join(value, " ")), "a latency differs from one message to the next")
		case n > 2 || !slices.Contains(limitStats, words[1]):
			given := strings.Join(words[1:], " ")
			return wrong(DidYouMean(given, limitStats), "%q says no figure of a latency", given)
		}
		l.Of = words[1]
	} else if !slices.Contains(limitWords, l.What) {
		return wrong(DidYouMean(l.What, limitWords), "nothing called %q is measured", l.What)
	}
	ops := []string{"<", "<=", "="}
	switch {
	case l.What == "connected":
		ops = []string{">=", ">", "="}
	case l.Timed():
		ops = ops[:2]
	}
	if !slices.Contains(ops, op) {
		return wrong(fmt.Sprintf("compare it with %s", strings.Join(ops, " or ")), "%s %s would not limit it", l.What, op)
	}
	if hint := l.setValue(value); hint != "" {
		return wrong(hint, "%q is no value for it", strings.Join(value, " "))
	}
	return l, nil
}

// setValue reads the right side, or says how it should be.
func (l *Limit) setValue(value []string) (hint string) {
	n, err := strconv.ParseFloat(value[0], 64)
	if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
		return "write a number, such as 5 or 0.5"
	}
	unit := strings.Join(value[1:], " ")
	switch {
	case l.Timed():
		factor, known := limitUnits[unit]
		if unit == "" {
			return "write its unit: us, ms, s, min or h"
		}
		if !known {
			return DidYouMean(unit, []string{"us", "ms", "s", "min", "h"})
		}
		n *= factor
	case unit == "%":
		if n > 100 {
			return "a share is at most 100 %"
		}
		n, l.Percent = n/100, true
	case unit != "":
		return "it is a number, or a share in %"
	}
	l.Value = n
	return ""
}

// limitParts takes a limit apart: words, a sign, and a number with its unit.
func limitParts(text string) (words []string, op string, value []string) {
	text = strings.NewReplacer("≤", "<=", "≥", ">=").Replace(text)
	left, right := text, ""
	if i := strings.IndexAny(text, "<>="); i >= 0 {
		left = text[:i]
		right = strings.TrimLeft(text[i:], "<>=")
		op = text[i : len(text)-len(right)]
	}
	words = strings.Fields(strings.ToLower(left))
	number := strings.TrimSpace(right)
	i := strings.IndexFunc(number, func(r rune) bool { return !unicode.IsDigit(r) && r != '.' && r != '-' && r != '+' })
	if i < 0 {
		i = len(number)
	}
	if i > 0 {
		value = append(value, number[:i])
		return words, op, append(value, strings.Fields(number[i:])...)
	}
	return words, op, strings.Fields(number)
}

// clipped is a text that is short enough for an error.
func clipped(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
