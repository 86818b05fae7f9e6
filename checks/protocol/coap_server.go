package protocol

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapServer looks at a server that serves clients as the scenarios of interoperability events ask.
var CoapServer = &check.Check{
	ID:       "protocol.coap-server",
	Title:    "Serves clients as the scenarios of interoperability events ask",
	Why:      "Devices of other makers, and of other years, speak to this server. What it answers outside the happy path decides which of them work.",
	Pass:     "GET by CON and NON, tokens of 0 and 8 bytes, an unknown path (4.04), a repeated message, an unknown critical option (4.02), blocks of 16 bytes, an empty message, and all malformed ones: every one is answered as RFC 7252 and 7959 say",
	Fix:      "compare with the packets in the evidence; most CoAP libraries have an option for each of these",
	Severity: check.Major,
	Rows:     []string{"coap.interop"},
	Sources:  []string{"ETSI TD_COAP_CORE_01, _05, _10, _21, _31 and TD_COAP_BLOCK_01", "RFC 7252 sections 4 and 5", "RFC 7959 section 2.4"},
	Needs:    check.Needs{Real: product.Cloud, Speaks: product.COAP},
	Impact:   check.Observes,
	Typical:  30 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapServer,
}

// discovered is the resource that every server has (RFC 6690 section 4).
const discovered = "/.well-known/core"

func coapServer(ctx context.Context, t *check.T) error {
	s := t.CoAPServer
	if err := s.Start(ctx); err != nil {
		return check.NotRun("see its console in the evidence", "%v", err)
	}
	whole, body, err := s.Peer.Fetch(ctx, discovered, coap.MaxSZX+1, answerWait)
	if err != nil {
		return check.NotRun("see its console in the evidence", "the server does not answer GET %s: %v", discovered, err)
	}
	if whole.Code != coap.Content || len(body) == 0 {
		return check.NotRun("only a server with resource discovery can be judged", "the server answers %s to GET %s", whole.Code, discovered)
	}
	t.Record("GET %s: %s, %d bytes", discovered, whole.Code, len(body))
	for _, c := range serverScenarios() {
		got, err := s.Peer.Request(ctx, c.m, answerWait)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.Record("%s: %v", c.what, shown(got, err))
		t.Find(c.judge(got, err)...)
	}
	_, blocks, err := s.Peer.Fetch(ctx, discovered, 0, answerWait)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || !bytes.Equal(blocks, body) {
		t.Find(check.Finding{Title: "Gives another body in blocks of 16 bytes", Seen: fmt.Sprintf("%d bytes, %v; the body has %d", len(blocks), err, len(body))})
	}
	if err := serverRepeats(ctx, t); err != nil {
		return err
	}
	return serverMalformed(ctx, t)
}

// answerWait is more than the time in which a request is sent again, twice.
const answerWait = 10 * time.Second

func shown(m *coap.Message, err error) string {
	if err != nil {
		return err.Error()
	}
	return m.String()
}

// serverScenario is a request with the code that is right for it.
type serverScenario struct {
	what string
	m    *coap.Message
	want coap.Code
}

func serverScenarios() []serverScenario {
	get := func(kind coap.Type, path string) *coap.Message {
		return (&coap.Message{Type: kind, Code: coap.GET}).SetPath(path)
	}
	long := get(coap.CON, discovered)
	long.Token = []byte{1, 2, 3, 4, 5, 6, 7, 8}
	return []serverScenario{
		{"GET by a NON", get(coap.NON, discovered), coap.Content},
		{"a token of 8 bytes", long, coap.Content},
		{"an unknown path", get(coap.CON, "/shakedown/none"), coap.NotFound},
		{"an unknown critical option", get(coap.CON, discovered).Add(65001, []byte{1}), coap.BadOption},
		{"an unknown elective option", get(coap.CON, discovered).Add(65000, []byte{1}), coap.Content},
	}
}

func (c serverScenario) judge(got *coap.Message, err error) []check.Finding {
	switch {
	case err != nil:
		return []check.Finding{{Title: "Does not answer a request with " + c.what, Seen: err.Error()}}
	case got.Code != c.want:
		return []check.Finding{{Title: fmt.Sprintf("Answers %s to a request with %s", got.Code, c.what), Expected: c.want.String(), Seen: got.String()}}
	case c.m.Type == coap.NON && got.Type == coap.ACK:
		return []check.Finding{{Title: "Answers a non-confirmable request by an acknowledgement", Seen: got.String()}}
	}
	return nil
}

// serverRepeats sends the same message twice.
func serverRepeats(ctx context.Context, t *check.T) error {
	p := t.CoAPServer.Peer
	m := (&coap.Message{Code: coap.GET, ID: p.NextID(), Token: p.NewToken()}).SetPath(discovered)
	x := p.Ask(m)
	defer x.End()
	first, err := x.Next(ctx, answerWait)
	if err != nil {
		return ctx.Err()
	}
	p.Send(m)
	second, err := x.Next(ctx, answerWait)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		t.Find(check.Finding{Title: "Does not answer a repeated message", Seen: err.Error()})
	case first.Code != second.Code || !bytes.Equal(first.Payload, second.Payload):
		t.Find(check.Finding{Title: "Answers a repeated message in another way", Seen: fmt.Sprintf("%v, then %v", first, second)})
	}
	return nil
}

// serverMalformed sends what is no message, and looks whether the server lives on.
func serverMalformed(ctx context.Context, t *check.T) error {
	s := t.CoAPServer
	for _, w := range coap.Illegal() {
		m := (&coap.Message{Code: coap.GET, ID: s.Peer.NextID(), Token: s.Peer.NewToken()}).SetPath(discovered)
		mark := t.Log.Len()
		s.Peer.SendRaw(w.Spoil(m), "CON malformed: "+w.Name)
		alive := false
		for range 3 {
			alive = alive || s.Ping(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !alive {
			t.Find(check.Finding{Severity: check.Blocker, Title: "Is deaf after " + w.Name, Expected: "it works on", Seen: "no reset of 3 empty messages"})
			return nil
		}
		t.Find(judgeRejected(w, m, t.Log.Since(mark))...)
	}
	return nil
}
