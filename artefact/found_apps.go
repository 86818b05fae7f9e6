package artefact

import (
	"context"

	"github.com/shakedown-test/shakedown/artefact/apps"
)

// findApps puts together what is known of the apps in it.
func (f *Facts) findApps(ctx context.Context) (err error) {
	f.Apps, err = apps.Find(ctx, f.Root)
	return err
}
