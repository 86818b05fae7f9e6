package check

import (
	"errors"
	"fmt"

	"github.com/shakedown-test/shakedown/evidence"
)

// undecided is the error of a check that could not be decided.
type undecided struct {
	outcome evidence.Outcome
	reason  string
	hint    string
}

func (u *undecided) Error() string { return u.reason }

// NotApplicable is returned by a check that finds the part without the option that the check is about: an MQTT 3.1.1 device has no
// session expiry.
func NotApplicable(format string, args ...any) error {
	return &undecided{outcome: evidence.NotApplicable, reason: fmt.Sprintf(format, args...)}
}

// NotRun is returned by a check that could not be carried out; hint says what would make it run. Any other error counts as NotRun
// without a hint.
func NotRun(hint, format string, args ...any) error {
	return &undecided{outcome: evidence.NotRun, reason: fmt.Sprintf(format, args...), hint: hint}
}

// explain turns a check's error into outcome, reason and hint.
func explain(err error) (outcome evidence.Outcome, reason, hint string) {
	var u *undecided
	if errors.As(err, &u) {
		return u.outcome, err.Error(), u.hint
	}
	return evidence.NotRun, err.Error(), ""
}
