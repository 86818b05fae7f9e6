package check

import (
	"context"
	"errors"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// Judge is how what a device did is judged; presented says what its endpoint presented. [Refused] and [Completed] are judges.
type Judge func(f testbed.Faced, presented string) []Finding

// As grades what j finds: an s in place of the check's own severity.
func (j Judge) As(s Severity) Judge {
	return func(f testbed.Faced, presented string) []Finding {
		found := j(f, presented)
		for i := range found {
			found[i].Severity = s
		}
		return found
	}
}

// RefusesCertificates presents each of the cases to the device and finds when it sends application data all the same. A case that
// cannot exist for the device's host name is left out; when none is left, the check is not applicable.
func (t *T) RefusesCertificates(ctx context.Context, cases ...pki.Case) error {
	return t.JudgeCertificates(ctx, Refused, cases...)
}

// AcceptsCertificates is the opposite of RefusesCertificates: it finds when the device does not get through to application data.
func (t *T) AcceptsCertificates(ctx context.Context, cases ...pki.Case) error {
	return t.JudgeCertificates(ctx, Completed, cases...)
}

// JudgeCertificates presents each of the cases to the device, as far as they exist for its host name, and has j judge what it does.
func (t *T) JudgeCertificates(ctx context.Context, j Judge, cases ...pki.Case) error {
	tried := 0
	for _, c := range cases {
		cert, err := t.PKI.Server(c, t.Device.Part.Host)
		if errors.Is(err, pki.ErrNoCase) {
			t.Record("left out: %v", err)
			continue
		}
		if err != nil {
			return err
		}
		tried++
		f, err := t.FaceTLS(ctx, c.Text(), endpoint.TLS{Certificate: cert})
		if err != nil {
			return err
		}
		t.Find(j(f, c.Text())...)
	}
	if tried == 0 {
		return NotApplicable("there is no such certificate for the host name %s", t.Device.Part.Host)
	}
	return nil
}

// RefusesTLS has the endpoint present itself as told and finds when the device sends application data; presented says what is wrong
// with it, as in "TLS 1.0 only". Two refused attempts are a refusal; the accepted connection after the healing is the control.
func (t *T) RefusesTLS(ctx context.Context, presented string, as endpoint.TLS) error {
	f, err := t.FaceTLS(ctx, presented, as)
	if err != nil {
		return err
	}
	t.Find(Refused(f, presented)...)
	return nil
}

// FaceTLS lets the device, started anew or cut off for it, meet an endpoint that presents itself as told, and returns what it did.
// The error is a not-run when it did not try, or does not connect to the healthy endpoint afterwards.
func (t *T) FaceTLS(ctx context.Context, presented string, as endpoint.TLS) (testbed.Faced, error) {
	return t.FaceEndpoint(ctx, presented, 2, func() func() { return t.Endpoint.Present(as) })
}

// FaceEndpoint is FaceTLS for anything that an endpoint can be made to do: impair starts it and returns its undo. It looks on for
// so many attempts, or 60 s, or until application bytes come.
func (t *T) FaceEndpoint(ctx context.Context, presented string, attempts int, impair func() (undo func())) (testbed.Faced, error) {
	t.Step("present %s", presented)
	heal := t.Impair(impair())
	if err := t.Device.Fresh(ctx); err != nil {
		return testbed.Faced{}, err
	}
	f, err := t.Device.Face(ctx, testbed.Facing{
		Heal: func() { heal(); t.Link.Cut(false) }, Attempts: attempts, Within: 60 * time.Second, UntilBytes: true,
	})
	if err != nil {
		return f, Offline(err)
	}
	if !Tried(f) {
		return f, NotRun(offlineHint, "the device opened connections but sent no ClientHello")
	}
	alerts, silent := Refusals(f)
	t.Record("%d attempts, refused with alerts %q and %d times without a word", len(f.Attempts), alerts, silent)
	return f, nil
}
