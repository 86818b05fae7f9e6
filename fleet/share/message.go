package share

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// Subjects. Agents hear the first, each its own of the second; the others are those of the stream of a run.
const (
	lobby   = "shakedown.agents"
	private = "shakedown.agent."
	ofRun   = "shakedown.run."
	deskEnd = ".desk"
	fromEnd = ".agent."
)

// stream is the name of a run's stream.
func stream(run string) string { return "SHAKEDOWN-" + run }

// How often an agent and the desk say that they are there, and after how long without a word an agent is lost to the desk, and the desk to
// an agent.
const (
	beat      = time.Second
	lostAgent = 3 * time.Second
	lostDesk  = 20 * time.Second
)

// hello is how an agent introduces itself.
type hello struct {
	Agent   string `json:"agent"` // unique
	Name    string `json:"name"`  // for people
	Machine string `json:"machine"`
	Cores   int    `json:"cores"`
	Version int    `json:"version"`
	Free    bool   `json:"free"`
}

// version is that of all messages here. Agents of another are not used.
const version = 2

// call is what the desk asks one agent for directly.
type call struct {
	Join  string `json:"join,omitempty"`  // a run that it should take part in
	Clock bool   `json:"clock,omitempty"` // what time it is
}

// reply is its answer.
type reply struct {
	Joined bool  `json:"joined,omitempty"`
	Clock  int64 `json:"clock,omitempty"` // nanoseconds since 1970
}

// order is what the desk says in a run: one of these.
type order struct {
	Part *part  `json:"part,omitempty"` // of the job
	Take *take  `json:"take,omitempty"`
	Go   int64  `json:"go,omitempty"`   // when the run begins, in nanoseconds since 1970
	Drop string `json:"drop,omitempty"` // an agent whose shares were given to others
	Stop bool   `json:"stop,omitempty"` // the course is over, earlier than it was to be
	End  bool   `json:"end,omitempty"`  // of the run; an order without anything is a sign of life
}

// part is a piece of what is too long for one message.
type part struct {
	Of   int    `json:"of"` // pieces in all
	Data []byte `json:"data"`
}

// take gives a share to an agent.
type take struct {
	Agent string        `json:"agent"`
	Share int           `json:"share"`
	From  int           `json:"from"`
	To    int           `json:"to"`
	Seq   uint32        `json:"seq,omitempty"`
	Begin time.Duration `json:"begin,omitempty"` // of a share that was lost: when it begins, counted from the beginning of the run
	Ahead time.Duration `json:"ahead,omitempty"` // how far the agent's clock is ahead of the desk's
}

// word is what an agent says in a run: its number, from 1, and one of these.
type word struct {
	N     uint64 `json:"n"`
	Share int    `json:"share"`

	Ready  bool          `json:"ready,omitempty"`
	Began  bool          `json:"began,omitempty"`
	Late   time.Duration `json:"late,omitempty"`   // with Began: how much later than it should
	Failed string        `json:"failed,omitempty"` // why it cannot be played
	Slice  *slice        `json:"slice,omitempty"`
	Ledger *part         `json:"ledger,omitempty"`
	Given  *part         `json:"given,omitempty"` // of what provisioning gave
	Done   *done         `json:"done,omitempty"`
}

// slice is what a loop measured in a second.
type slice struct {
	Loop   int           `json:"loop"`
	Second int           `json:"second"`
	Slice  *series.Slice `json:"slice"`
}

// done is what is known at the end of a share, after its ledger.
type done struct {
	Outage *series.Outage `json:"outage,omitempty"`
	CPU    time.Duration  `json:"cpu"`  // of the agent since it joined the run
	Base   int            `json:"base"` // bytes of memory when the agent joined the run
	Held   int            `json:"held"` // the most since then
}

const (
	maxText  = 1 << 20   // bytes of a message
	maxParts = 4096      // of anything
	partSize = 384 << 10 // bytes of a piece; NATS takes messages of 1 MiB unless it is told otherwise
	maxLoops = 4096      // of an agent
)

// read decodes a message of another process. What it does not know is an error.
func read(text []byte, into any) error {
	if len(text) > maxText {
		return fmt.Errorf("a message of %d bytes", len(text))
	}
	return strict(text, into)
}

func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something behind its end")
	}
	return nil
}

// parts cuts what is too long for one message.
func parts(data []byte) []*part {
	n := max(1, (len(data)+partSize-1)/partSize)
	list := make([]*part, n)
	for i := range list {
		list[i] = &part{Of: n, Data: data[i*partSize : min(len(data), (i+1)*partSize)]}
	}
	return list
}

// pieces puts together what parts cut.
type pieces struct {
	data []byte
	n    int
}

// add takes the next piece. It says whether that was the last.
func (p *pieces) add(one *part) (whole bool, err error) {
	if one.Of < 1 || one.Of > maxParts || len(one.Data) > partSize || p.n >= one.Of {
		return false, fmt.Errorf("piece %d of %d with %d bytes", p.n+1, one.Of, len(one.Data))
	}
	p.data = append(p.data, one.Data...)
	p.n++
	return p.n == one.Of, nil
}
