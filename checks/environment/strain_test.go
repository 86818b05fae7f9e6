package environment

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
)

func TestJudgeStrained(t *testing.T) {
	const works, holds = "Does not work on a bad link", "Gives its connection up on a bad link"
	exit := []evidence.Event{{Text: "signal: aborted"}}
	for name, c := range map[string]struct {
		f    strained
		want []string
	}{
		"good":         {strained{trials: 10, worked: 10}, nil},
		"one missing":  {strained{trials: 10, worked: 9, lost: 1}, nil},
		"two missing":  {strained{trials: 10, worked: 8}, []string{works}},
		"two lost":     {strained{trials: 10, worked: 9, lost: 2}, []string{holds}},
		"stuck at end": {strained{trials: 10, worked: 9, stuck: true}, []string{works}},
		"crashed":      {strained{trials: 10, exits: exit}, []string{"blocker: Crashes on a bad link"}},
	} {
		c.f.on, c.f.allowed = "a bad link", 1
		if diff := cmp.Diff(c.want, titled(judgeStrained(c.f))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeJoined(t *testing.T) {
	for name, c := range map[string]struct {
		found []check.Finding
		want  []string
	}{
		"online":    {judgeJoined(joined{took: time.Second}), nil},
		"offline":   {judgeJoined(joined{on: "a bad link", within: time.Minute}), []string{"Does not get online on a bad link"}},
		"crashes":   {judgeJoined(joined{on: "a bad link", exits: []evidence.Event{{Text: "exit status 1"}}}), []string{"blocker: Exits on a bad link"}},
		"back":      {judgeBack(strained{}, true), nil},
		"not back":  {judgeBack(strained{on: "a bad link"}, false), []string{"blocker: Stays away after a bad link"}},
		"through":   {judgeSwallowed(swallowed{mtu: 1400, took: 14 * time.Second}), nil},
		"too late":  {judgeSwallowed(swallowed{mtu: 1400, took: 34 * time.Second}), []string{"Does not get through a path that loses packets above 1400 bytes"}},
		"never":     {judgeSwallowed(swallowed{mtu: 1280, attempts: []testbed.Attempt{{}}}), []string{"Does not get through a path that loses packets above 1280 bytes"}},
		"no size":   {judgeTransferred(transferred{}), nil},
		"no effect": {judgeTransferred(transferred{size: 9}), []string{"Does not get a large command over a link with an MTU of 1492"}},
	} {
		if diff := cmp.Diff(c.want, titled(c.found)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeRepeated(t *testing.T) {
	ten := slices.Repeat([]repeated{{"a", 1}}, 10)
	with := func(r ...repeated) []repeated { return append(slices.Clone(ten[:10-len(r)]), r...) }
	const again, lost = "Carries commands out again on a link that doubles and reorders packets", "major: Loses commands on a link that doubles and reorders packets"
	for name, c := range map[string]struct {
		all  []repeated
		want []string
	}{
		"once each":   {ten, nil},
		"one missing": {with(repeated{"b", 0}), nil},
		"two missing": {with(repeated{"b", 0}, repeated{"c", 0}), []string{lost}},
		"one twice":   {with(repeated{"b", 2}), []string{again}},
		"cut off":     {ten[:4], []string{lost}},
	} {
		if diff := cmp.Diff(c.want, titled(judgeRepeated(c.all, 1, 2))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestPadded(t *testing.T) {
	b, ok := padded([]byte(` {"on":true} `), 100)
	if !ok || len(b) != 100 || !json.Valid(b) || !bytes.Contains(b, []byte(`"on":true`)) {
		t.Errorf("%q, %v", b, ok)
	}
	for _, text := range []string{"on", "[1]", `{"on":true}`} {
		if _, ok := padded([]byte(text), 5); ok {
			t.Errorf("%s can be padded to 5 bytes", text)
		}
	}
}
