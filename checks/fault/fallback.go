package fault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// state is what a device says of itself in retained messages: the values of their JSON, by topic and path.
type state map[string]string

// stateAfter is the state after events. Measurements, whose topics match the filter telemetry, are not state.
func stateAfter(events []evidence.Event, telemetry string) state {
	s := state{}
	for _, e := range events {
		p, ok := broker.Got(e, mqtt.PUBLISH)
		if !ok || !p.Retain || telemetry != "" && mqtt.Match(telemetry, p.Topic) {
			continue
		}
		var v any
		if json.Unmarshal(p.Payload, &v) != nil {
			v = string(p.Payload)
		}
		s.set(p.Topic, v)
	}
	return s
}

func (s state) set(path string, v any) {
	fields, ok := v.(map[string]any)
	if !ok {
		s[path] = fmt.Sprint(v)
		return
	}
	for name, v := range fields {
		s.set(path+" "+name, v)
	}
}

// fallback are the values that changed from before to after, back to what they were at first.
func fallback(first, before, after state) []string {
	var fell []string
	for path, was := range first {
		now, ok := after[path]
		if old, known := before[path]; ok && known && now == was && now != old {
			fell = append(fell, path)
		}
	}
	slices.Sort(fell)
	return fell
}

// judgeFallback finds a state that was given up for what it was before the first command, three times over a payload that had to be
// rejected. What also falls back without one, as a relay that gives pulses, does not count.
func judgeFallback(all []rejected, control rejected) []check.Finding {
	count := map[string]int{}
	for _, f := range all {
		if f.grade == "" || f.effect {
			continue
		}
		for _, path := range f.fell {
			count[path]++
		}
	}
	var fell []string
	for path, n := range count {
		if n >= 3 && !slices.Contains(control.fell, path) {
			fell = append(fell, path)
		}
	}
	if len(fell) == 0 {
		return nil
	}
	slices.Sort(fell)
	return []check.Finding{{
		Severity: check.Major,
		Title:    "Gives up its state over a command that it rejects",
		Expected: "it keeps the state that the last good command gave it",
		Seen:     fmt.Sprintf("it went back to what it was before the first command: %s", strings.Join(fell, ", ")),
	}}
}
