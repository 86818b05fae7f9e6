package accounts

import (
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/artefact/crypt"
)

func TestDefaults(t *testing.T) {
	all := Defaults()
	if len(all) < 200 || len(all) > 500 {
		t.Errorf("%d words", len(all))
	}
	for _, w := range all {
		if w.Text == "" || w.Source == "" {
			t.Errorf("%+v", w)
		}
	}
}

func TestOf(t *testing.T) {
	list := Of("Reference Thermostat", "", "ab")
	for _, want := range []string{"ReferenceThermostat", "thermostat", "thermostat123", "Reference!"} {
		if !slices.ContainsFunc(list, func(w Word) bool { return w.Text == want }) {
			t.Errorf("%q is no word of it", want)
		}
	}
	if slices.ContainsFunc(list, func(w Word) bool { return w.Text == "ab" }) {
		t.Error("short words are tried")
	}
}

func TestGuess(t *testing.T) {
	h, err := crypt.Parse("$1$saltsalt$Y3BMhxQHmg7scgLILa56u1")
	if err != nil {
		t.Fatal(err)
	}
	words := []Word{{Text: "one"}, {Text: "admin"}, {Text: "two"}}
	budget := time.Second
	if w, tried := Guess(t.Context(), h, words, &budget); w == nil || w.Text != "admin" || tried != 2 || budget != time.Second-2*h.Cost {
		t.Errorf("%v after %d, %v left", w, tried, budget)
	}
	budget = h.Cost
	if w, tried := Guess(t.Context(), h, words, &budget); w != nil || tried != 1 {
		t.Errorf("%v after %d with a budget for one", w, tried)
	}
}
