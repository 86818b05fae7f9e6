package share

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Access is how a NATS server is reached.
type Access struct {
	URL      string `json:"url"` // nats://host:port, or tls://; several with commas
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	Creds    string `json:"creds,omitempty"` // file with a JWT and its seed
	CA       string `json:"ca,omitempty"`    // PEM file that the server's certificate is verified with; default: the machine's
}

// Dial connects to a server that has JetStream. The connection comes back by itself when it is lost.
func Dial(ctx context.Context, a Access, name string) (*nats.Conn, error) {
	if u, err := url.Parse(a.URL); err == nil && u.User != nil {
		return nil, errors.New("connect to NATS: the URL holds a password\nhint: NATS_USER and NATS_PASSWORD in the environment, or a file of credentials")
	}
	options := []nats.Option{
		nats.Name("shakedown " + name), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.ReconnectBufSize(-1), nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(5 * time.Second), nats.IgnoreAuthErrorAbort(),
	}
	if a.User != "" {
		options = append(options, nats.UserInfo(a.User, a.Password))
	}
	if a.Creds != "" {
		options = append(options, nats.UserCredentials(a.Creds))
	}
	if a.CA != "" {
		options = append(options, nats.RootCAs(a.CA))
	}
	nc, err := nats.Connect(a.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", a.URL, err)
	}
	js, err := jetstream.New(nc)
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("NATS at %s has no JetStream for this user: %w\nhint: nats-server -js, or jetstream {} in its configuration", a.URL, err)
	}
	return nc, nil
}

// makeStream makes the stream of a run.
func makeStream(ctx context.Context, js jetstream.JetStream, run string) error {
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: stream(run), Subjects: []string{ofRun + run + ".>"}, Storage: jetstream.FileStorage, MaxAge: 24 * time.Hour,
		Duplicates: 2 * time.Minute, Description: "a run of shakedown swarm; it is deleted at its end",
	})
	if err != nil {
		return fmt.Errorf("make the stream of the run: %w", err)
	}
	return nil
}

// pause waits, or ends with ctx. It says whether it waited.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
