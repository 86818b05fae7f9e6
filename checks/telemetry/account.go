package telemetry

import (
	"context"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/testbed"
)

// accounted has a small fleet live, and hands over what a judge finds in the account of its messages. What is the evidence in a few words.
func accounted(ctx context.Context, t *check.T, l testbed.Load, what string, judge func(count.Totals) []check.Finding) error {
	first := t.Log.Len()
	r, err := t.Count(ctx, l)
	if err != nil {
		return err
	}
	for _, found := range judge(*r.Messages) {
		found.Evidence = check.Range(first, t.Log.Len()-1, what)
		t.Find(found)
	}
	return nil
}
