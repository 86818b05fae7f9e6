package share

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// inbox reads a part of a run's stream from its beginning, over restarts of the server.
type inbox struct {
	js      jetstream.JetStream
	stream  string
	subject string
	since   atomic.Int64 // since when it has been up to date with the server, as time.Time.UnixNano; 0: it is not
	missing atomic.Int64 // since when the server has had no such stream; 0: it has
}

// run calls each with every message until ctx ends.
func (in *inbox) run(ctx context.Context, each func(subject string, text []byte)) {
	last := uint64(0)
	for ctx.Err() == nil {
		connection := in.reconnects()
		c, err := in.consumer(ctx, last)
		switch {
		case err == nil:
			in.missing.Store(0)
		case errors.Is(err, jetstream.ErrStreamNotFound):
			in.missing.CompareAndSwap(0, time.Now().UnixNano())
		}
		for err == nil && ctx.Err() == nil {
			if err = in.fetch(ctx, c, &last, each); err == nil && in.reconnects() != connection {
				err = errAnew
			}
		}
		in.since.Store(0)
		pause(ctx, 100*time.Millisecond)
	}
}

// errAnew says that the server may be a new one, which knows nothing of the consumer: it leaves a fetch without an answer, and that is no error.
var errAnew = errors.New("connected anew")

func (in *inbox) reconnects() uint64 { return in.js.Conn().Stats().Reconnects }

func (in *inbox) consumer(ctx context.Context, last uint64) (jetstream.Consumer, error) {
	once, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return in.js.CreateConsumer(once, in.stream, jetstream.ConsumerConfig{
		FilterSubject: in.subject, AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq: last + 1, InactiveThreshold: time.Minute, MemoryStorage: true, Replicas: 1,
	})
}

// fetch takes what comes within a short time.
func (in *inbox) fetch(ctx context.Context, c jetstream.Consumer, last *uint64, each func(subject string, text []byte)) error {
	batch, err := c.Fetch(500, jetstream.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream <= *last {
			continue
		}
		*last = meta.Sequence.Stream
		each(m.Subject(), m.Data())
	}
	if err := batch.Error(); err != nil {
		return err
	}
	in.since.CompareAndSwap(0, time.Now().UnixNano())
	return nil
}
