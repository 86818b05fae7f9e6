package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// at are the times of copies that are so many seconds after the first.
func at(seconds ...float64) (all []time.Time) {
	for _, s := range seconds {
		all = append(all, time.Unix(0, int64(s*1e9)))
	}
	return all
}

func got(m *coap.Message) evidence.Event {
	return evidence.Event{Kind: evidence.In, Conn: 1, Data: m}
}

func sent(m *coap.Message) evidence.Event {
	return evidence.Event{Kind: evidence.Out, Conn: 1, Data: m}
}

// TestCoAPJudges gives recorded facts to the judges of the CoAP checks.
func TestCoAPJudges(t *testing.T) {
	request := &coap.Message{Type: coap.CON, Code: coap.GET, ID: 7, Token: []byte{1}}
	wrong := coap.Wrong{Name: "a wrong thing"}
	ignored := coap.Wrong{Name: "version 0", Ignored: true}
	reset := got(&coap.Message{Type: coap.RST, ID: 7})
	done := got(&coap.Message{Type: coap.ACK, Code: coap.Content, ID: 7, Token: []byte{1}})
	second := func(s ...float64) (all []time.Duration) {
		for _, x := range s {
			all = append(all, time.Duration(x*1e9))
		}
		return all
	}
	codes := refusal{what: "an unknown path", want: []coap.Code{coap.NotFound}}
	for _, c := range []struct {
		name string
		got  []check.Finding
		want []string // titles
	}{
		{"by the book", judgeRetransmitted(retransmitted{at(0, 2, 6, 14, 30), 62 * time.Second}), nil},
		{"slowest by the book", judgeRetransmitted(retransmitted{at(0, 3, 9, 21, 45), 93 * time.Second}), nil},
		{"by the book, both machines lag", judgeRetransmitted(retransmitted{at(0, 3.6, 9.2, 21.9, 46), 95 * time.Second}), nil},
		{"once", judgeRetransmitted(retransmitted{at(0), 100 * time.Second}), []string{"Does not send an unacknowledged message again"}},
		{"three copies, then something else", judgeRetransmitted(retransmitted{at(0, 2, 6), 65 * time.Second}), nil},
		{"three copies, then nothing", judgeRetransmitted(retransmitted{at(0, 2, 6), 115 * time.Second}), []string{"Gives an unacknowledged message up early"}},
		{"constant", judgeRetransmitted(retransmitted{at(0, 2.5, 5, 7.5, 10), 70 * time.Second}), []string{"Does not wait longer from copy to copy"}},
		{"at once", judgeRetransmitted(retransmitted{at(0, 0.1, 0.3, 0.7, 1.5), 70 * time.Second}), []string{"Sends an unacknowledged message again at once"}},
		{"slow", judgeRetransmitted(retransmitted{at(0, 5, 15, 35, 75), 110 * time.Second}), []string{
			"Has another first time-out than the standard's", "Takes longer for its copies than 45 s",
		}},
		{"without end", judgeRetransmitted(retransmitted{at(0, 2, 6, 14, 30, 62, 94), 110 * time.Second}), []string{"Never gives an unacknowledged message up"}},
		{"six copies", judgeRetransmitted(retransmitted{at(0, 2, 6, 14, 30, 62), 110 * time.Second}), []string{"Sends an unacknowledged message more than 5 times"}},

		{"spread", judgeFirstWaits(second(2.1, 2.9, 2.4, 2.6)), nil},
		{"not spread, but for two that lag", judgeFirstWaits(second(2, 2.01, 2.02, 2, 2.9)), []string{"Always waits for the same time before it sends a message again"}},

		{"once, alike", judgeDuplicates(3, []string{"2.04", "2.04", "2.04"}, 1), nil},
		{"twice", judgeDuplicates(3, []string{"2.04", "2.04", "2.04"}, 2), []string{"Carries a repeated request out again"}},
		{"not at all", judgeDuplicates(3, []string{"2.04", "2.04", "2.04"}, 0), []string{"Answers a request that it does not carry out"}},
		{"other answer", judgeDuplicates(3, []string{"2.04", "4.00", "2.04"}, 1), []string{"Answers a repeated request in another way"}},
		{"one answer", judgeDuplicates(3, []string{"2.04"}, 1), []string{"Does not answer a repeated request"}},
		{"no answer", judgeDuplicates(3, nil, 0), []string{"Does not answer a request"}},

		{"rejected", judgeRejected(wrong, request, []evidence.Event{reset}), nil},
		{"passed over", judgeRejected(wrong, request, nil), []string{"Does not reject a malformed message: a wrong thing"}},
		{"carried out", judgeRejected(wrong, request, []evidence.Event{done}), []string{"Carries out a message that is none: a wrong thing"}},
		{"a version passed over", judgeRejected(ignored, request, nil), nil},
		{"a version rejected", judgeRejected(ignored, request, []evidence.Event{reset}), []string{"Answers a message of another version"}},
		{"a NON passed over", judgeRejected(wrong, &coap.Message{Type: coap.NON, ID: 7}, nil), nil},

		{"options as they should be", judgeOptions("2.05", "4.02", "no answer", "2.05"), nil},
		{"options by reset", judgeOptions("2.05", "reset", "reset", "2.05"), nil},
		{"critical ones ignored", judgeOptions("2.05", "2.05", "2.05", "2.05"), []string{
			"Carries out a request with a critical option that it does not know", "Carries out a non-confirmable request with a critical option that it does not know",
		}},
		{"elective ones refused", judgeOptions("2.05", "4.02", "no answer", "4.02"), []string{"Refuses an elective option that it does not know"}},
		{"critical ones refused otherwise", judgeOptions("2.05", "4.00", "4.00", "2.05"), []string{"Answers otherwise than 4.02 to a critical option that it does not know"}},

		{"the right code", judgeRefusal(codes, "4.04"), nil},
		{"another code", judgeRefusal(codes, "5.00"), []string{"Answers 5.00 to an unknown path"}},

		{"at leisure", judgeLeisure(second(0.3, 4.9, 2, 1)), nil},
		{"at once", judgeLeisure(second(0.1, 0.2, 0.1, 0.3)), []string{"Answers a question to all at once"}},
		{"late", judgeLeisure(second(0.1, 7)), []string{"Answers a question to all later than 5 s"}},

		{"the new one", judgeMixed("x", true, false, true), nil},
		{"the old one", judgeMixed("x", false, true, false), []string{"Does not take a body that changed on the way"}},
		{"neither", judgeMixed("x", true, false, false), []string{"Mixes the blocks of two versions of a body"}},

		{"notification taken", judgeNotified([]evidence.Event{sent(&coap.Message{Code: coap.Content, ID: 9}), got(&coap.Message{Type: coap.ACK, ID: 9})}), nil},
		{"notification rejected", judgeNotified([]evidence.Event{sent(&coap.Message{Code: coap.Content, ID: 9}), got(&coap.Message{Type: coap.RST, ID: 9})}), []string{"Rejects a notification that it registered for"}},
	} {
		var titles []string
		for _, f := range c.got {
			titles = append(titles, f.Title)
		}
		if !slices.Equal(titles, c.want) {
			t.Errorf("%s: %q, want %q", c.name, titles, c.want)
		}
	}
}

func TestOutstanding(t *testing.T) {
	ask := func(id uint16) evidence.Event { return got(&coap.Message{Type: coap.CON, Code: coap.GET, ID: id}) }
	ack := func(id uint16) evidence.Event { return sent(&coap.Message{Type: coap.ACK, ID: id}) }
	for _, c := range []struct {
		events         []evidence.Event
		most, requests int
	}{
		{[]evidence.Event{ask(1), ask(1), ack(1), ask(2), ack(2)}, 1, 2},
		{[]evidence.Event{ask(1), ask(2), ack(1), ack(2), ask(3)}, 2, 3},
		{nil, 0, 0},
	} {
		if most, requests := outstanding(c.events); most != c.most || requests != c.requests {
			t.Errorf("%d of %d, want %d of %d", most, requests, c.most, c.requests)
		}
	}
}

func TestGets(t *testing.T) {
	block := func(id uint16, num uint32) evidence.Event {
		return got((&coap.Message{Code: coap.GET, ID: id}).SetPath("/a").SetBlock(coap.Block2, coap.Block{Num: num}))
	}
	events := []evidence.Event{block(1, 0), block(1, 0), block(2, 1), block(3, 0), got((&coap.Message{Code: coap.GET, ID: 4}).SetPath("/b"))}
	if n := gets(events, "/a"); n != 2 {
		t.Errorf("%d transfers, want 2", n)
	}
}
