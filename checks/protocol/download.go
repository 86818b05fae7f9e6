package protocol

import (
	"context"
	"fmt"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// loaded is what was seen of a download.
type loaded struct {
	fetches int
	ranges  int  // of them with a Range
	took    bool // the file took effect
}

// awaitFile looks on until a file took effect or so many requests for it came, or the time for them is over.
func awaitFile(ctx context.Context, t *check.T, f testbed.File, mark, requests int) (loaded, error) {
	wait, cancel := t.Clock.Timeout(ctx, 3*t.Device.Every())
	defer cancel()
	n := 0
	_, err := t.Log.Await(wait, mark, func(e evidence.Event) bool {
		if q, ok := web.Got(e); ok && q.Path == f.Where {
			n++
		}
		return n >= requests || f.Shows(e)
	})
	if err != nil && ctx.Err() != nil {
		return loaded{}, ctx.Err()
	}
	return fileSeen(t.Log.Since(mark), f), nil
}

func fileSeen(events []evidence.Event, f testbed.File) loaded {
	var l loaded
	for _, q := range testbed.Fetches(events, f.Where) {
		l.fetches++
		if q.Range != "" {
			l.ranges++
		}
	}
	_, l.took = f.Took(events)
	return l
}

// wholeFile waits for a file to take effect now that nothing hinders it, and finds it when that does not come.
func wholeFile(ctx context.Context, t *check.T, f testbed.File, mark int, after string) error {
	within := t.Device.Cap() + t.Device.Every()
	_, ok, err := t.Device.AwaitDocument(ctx, f.Document, mark, within)
	if err != nil || ok {
		return err
	}
	seen := fileSeen(t.Log.Since(mark), f)
	t.Find(check.Finding{
		Severity: check.Major, Title: "Does not get a file whole after " + after,
		Expected: fmt.Sprintf("the file takes effect within %.0f s of the healing", within.Seconds()),
		Seen:     fmt.Sprintf("%d requests for it came, %d of them with a Range, and it took no effect", seen.fetches, seen.ranges),
		Evidence: check.Range(mark, t.Log.Len()-1, "the download"),
	})
	return nil
}
