package load

import (
	"errors"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
)

// TestSearch looks for a capacity that is known.
func TestSearch(t *testing.T) {
	for _, c := range []struct {
		name      string
		declared  int
		times     int
		spare     int
		most      int // devices with which all limits hold
		unknown   int // devices from which on it is not known
		low, high int
		found     int
		plays     int
	}{
		{"room enough", 100, 2, 0, 1000, 9999, 200, 0, 0, 3},
		{"just enough", 100, 2, 0, 120, 9999, 118, 141, 0, 9},
		{"too little", 100, 2, 0, 80, 9999, 70, 83, 1, 8},
		{"hardly any", 100, 2, 0, 1, 9999, 1, 2, 1, 11},
		{"none", 100, 2, 0, 0, 9999, 0, 1, 1, 8},
		{"not known above", 100, 2, 0, 1000, 150, 100, 0, 0, 3},
		{"breaks at four times", 100, 64, spare, 350, 9999, 335, 400, 0, 10},
		{"breaks at the bound", 100, 64, spare, 6000, 9999, 5381, 6400, 0, 14},
		{"never breaks", 100, 64, spare, 9999, 9999, 6400, 0, 0, 8},
		{"can't keep up at eight times", 100, 64, spare, 9999, 500, 400, 0, 0, 8},
		{"can't keep up in between", 100, 64, spare, 700, 500, 400, 800, 0, 9},
	} {
		s := search{declared: c.declared, times: c.times, spare: c.spare, try: func(n int) (evidence.LoadStep, bool, error) {
			step := evidence.LoadStep{Offered: float64(n), Outcome: evidence.LimitHeld}
			if n > c.most {
				step.Outcome, step.Seen = evidence.LimitBroken, "refused = 0: 3"
			} else if n > c.unknown {
				step.Outcome = evidence.LimitUnknown
			}
			return step, step.Outcome == evidence.LimitUnknown, nil
		}}
		if err := s.run(); err != nil {
			t.Fatal(err)
		}
		got := s.capacity()
		if s.low != c.low || s.high != c.high || got.Note == "" {
			t.Errorf("%s: between %d and %d, want %d and %d; %s", c.name, s.low, s.high, c.low, c.high, got.Note)
		}
		if len(s.steps) != c.plays {
			t.Errorf("%s: %d plays, want %d: %v", c.name, len(s.steps), c.plays, s.steps)
		}
		expect(t, c.name, judgeCapacity(got, c.declared), c.found)
	}
}

// TestSearchOfWhatVaries widens the interval when what held once breaks later.
func TestSearchOfWhatVaries(t *testing.T) {
	tried := map[int]int{}
	s := search{declared: 100, times: 2, try: func(n int) (evidence.LoadStep, bool, error) {
		tried[n]++
		step := evidence.LoadStep{Offered: float64(n), Outcome: evidence.LimitHeld}
		if n > 110 || n == 100 && tried[n] > 1 {
			step.Outcome = evidence.LimitBroken
		}
		return step, false, nil
	}}
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if s.low >= 100 || s.high != 100 {
		t.Errorf("between %d and %d, where 100 held once and broke then", s.low, s.high)
	}
}

// TestSearchOfWhatBrokeByChance does not say that a load holds at which a limit broke.
func TestSearchOfWhatBrokeByChance(t *testing.T) {
	tried := map[int]int{}
	s := search{declared: 100, times: 2, try: func(n int) (evidence.LoadStep, bool, error) {
		tried[n]++
		step := evidence.LoadStep{Offered: float64(n), Outcome: evidence.LimitHeld}
		if n > 90 && tried[n] == 1 {
			step.Outcome = evidence.LimitBroken
		}
		return step, false, nil
	}}
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if s.low >= 90 || s.high <= 90 || tried[s.high] != repeats {
		t.Errorf("between %d and %d, which was tried %d times", s.low, s.high, tried[s.high])
	}
}

// TestSearchOfWhatWasLate plays again what this machine spoilt, and goes on.
func TestSearchOfWhatWasLate(t *testing.T) {
	late := map[int]int{200: 1, 800: 2}
	s := search{declared: 100, times: 64, spare: spare, try: func(n int) (evidence.LoadStep, bool, error) {
		step := evidence.LoadStep{Offered: float64(n), Outcome: evidence.LimitHeld}
		if late[n]--; late[n] >= 0 {
			step.Outcome = evidence.LimitUnknown
			return step, true, nil
		}
		return step, false, nil
	}}
	if err := s.run(); err != nil || s.low != 6400 || s.unknown != nil || len(s.steps) != 8+spare {
		t.Errorf("%v; up to %d, unknown %+v, after %d plays", err, s.low, s.unknown, len(s.steps))
	}
}

// TestSearchBeyondAccounts keeps what was found where more can't be tried.
func TestSearchBeyondAccounts(t *testing.T) {
	s := search{declared: 100, times: 2, try: func(n int) (evidence.LoadStep, bool, error) {
		if n > 100 {
			return evidence.LoadStep{}, false, errors.New("the CSV file has 100 lines")
		}
		return evidence.LoadStep{Offered: float64(n), Outcome: evidence.LimitHeld}, false, nil
	}}
	if err := s.run(); err != nil || s.low != 100 || s.high != 0 || s.unknown == nil || s.unknown.Offered != 200 {
		t.Errorf("%v; between %d and %d, unknown %+v", err, s.low, s.high, s.unknown)
	}
	expect(t, "no more accounts", judgeCapacity(s.capacity(), 100), 0)
}
