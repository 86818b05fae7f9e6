package share

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// outbox publishes messages on one subject of a run in order, each until the server has stored it, however often that is restarted.
type outbox struct {
	js      jetstream.JetStream
	subject string

	mu     sync.Mutex
	queue  []any
	filled chan struct{} // holds one when there may be something in the queue
	idle   chan struct{} // closed when the queue is empty and all is stored
}

func newOutbox(js jetstream.JetStream, subject string) *outbox {
	idle := make(chan struct{})
	close(idle)
	return &outbox{js: js, subject: subject, filled: make(chan struct{}, 1), idle: idle}
}

// put queues what is to be published. It does not wait.
func (o *outbox) put(m any) {
	o.mu.Lock()
	if len(o.queue) == 0 {
		select {
		case <-o.idle:
			o.idle = make(chan struct{})
		default:
		}
	}
	o.queue = append(o.queue, m)
	o.mu.Unlock()
	select {
	case o.filled <- struct{}{}:
	default:
	}
}

// stored is closed when all that was put so far is stored.
func (o *outbox) stored() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.idle
}

// run publishes until ctx ends. The error is about a message that cannot be written.
func (o *outbox) run(ctx context.Context) error {
	for n := 1; ; {
		o.mu.Lock()
		if len(o.queue) == 0 {
			select {
			case <-o.idle:
			default:
				close(o.idle)
			}
			o.mu.Unlock()
			select {
			case <-o.filled:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		next := o.queue[0]
		o.mu.Unlock()
		if w, ok := next.(*word); ok {
			w.N = uint64(n)
		}
		text, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("write a message of the run: %w", err)
		}
		if !o.publish(ctx, text, fmt.Sprintf("%s-%d", o.subject, n)) {
			return nil
		}
		n++
		o.mu.Lock()
		o.queue[0] = nil
		o.queue = o.queue[1:]
		o.mu.Unlock()
	}
}

// publish says whether the server has it; it tries until ctx ends.
func (o *outbox) publish(ctx context.Context, text []byte, id string) bool {
	for {
		once, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := o.js.PublishMsg(once, &nats.Msg{Subject: o.subject, Data: text, Header: nats.Header{jetstream.MsgIDHeader: {id}}})
		cancel()
		if err == nil {
			return true
		}
		if !pause(ctx, 100*time.Millisecond) {
			return false
		}
	}
}
