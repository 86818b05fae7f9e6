package judge

import (
	"context"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
)

// OfApps is the Run of a check that judges each phone app by itself. Judge says whether the app is one of the subjects, which are what
// the check is about: "Android apps that use Bluetooth". Where there are none the check is not applicable.
func OfApps(subjects string, judge func(a *apps.App, t *check.T) (applies bool, findings []check.Finding)) func(context.Context, *check.T) error {
	return check.OfArtefacts(subjects, func(f *artefact.Facts, t *check.T) (n int, all []check.Finding) {
		for _, a := range f.Apps {
			applies, findings := judge(a, t)
			if !applies {
				continue
			}
			n++
			all = append(all, findings...)
		}
		return n, all
	})
}
