package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

const (
	messageLimit = 1 << 20          // bytes of one line of the control protocol
	helloLimit   = 10 * time.Second // wall time from the start of the program to its hello
	replyLimit   = 30 * time.Second // wall time from a request to its reply
	quitLimit    = 5 * time.Second  // wall time from the end of its input to the program's end
)

// Control is the maker's control program while it runs. It speaks JSON lines: requests on its input, replies and events on its
// output; docs/control-protocol.md tells how. What it says that is no message goes to the console of its part.
type Control struct {
	env      Env
	group    *group
	in       *os.File
	console  *console
	patience time.Duration // wall time for a reply
	asking   sync.Mutex    // held during one request
	can      []product.Capability
	hello    chan []product.Capability
	greeted  bool   // listen's own: it said hello
	exited   func() // told when the part ended by itself; may be nil

	mu      sync.Mutex
	last    int          // id of the last request
	reply   chan message // where its reply goes; nil when none is awaited
	closing bool
}

// request is one line that Shakedown says.
type request struct {
	ID   int    `json:"id"`
	Do   string `json:"do"`
	Args any    `json:"args,omitempty"`
}

// message is one line that the program says: a hello, a reply, or an event.
type message struct {
	Hello *struct {
		Can []product.Capability `json:"can"`
	} `json:"hello"`

	ID    *int            `json:"id"`
	OK    bool            `json:"ok"`
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`

	Event  string `json:"event"` // "console" or "exit"
	Line   string `json:"line"`
	Status string `json:"status"`
}

// OpenControl starts the control program of the part and waits until it has said what it can do. exited is called, on a goroutine
// of its own, when the program says that the part ended by itself, or has itself ended unasked; it may be nil. It fails when the program cannot be run, says
// nothing, or lacks what the product file says it can do.
func OpenControl(env Env, exited func()) (*Control, error) {
	name := env.Part.Name
	if len(env.Part.Control) == 0 {
		return nil, fmt.Errorf("open part %q: driver exec has no control program\nhint: give the program and its arguments: control: [python3, control.py]", name)
	}
	argv, err := expandAll(env.Part.Control, env.Values)
	if err != nil {
		return nil, fmt.Errorf("open part %q: control: %w", name, err)
	}
	c := &Control{env: env, console: newConsole(env), patience: replyLimit, hello: make(chan []product.Capability, 1), exited: exited}
	if err := c.run(exec.Command(argv[0], argv[1:]...)); err != nil {
		return nil, fmt.Errorf("open part %q: run control program %s: %w\nhint: check control in the product file", name, argv[0], err)
	}
	limit := time.NewTimer(helloLimit)
	defer limit.Stop()
	select {
	case c.can = <-c.hello:
	case <-c.group.done:
		c.in.Close()
		return nil, fmt.Errorf("open part %q: control program %s ended before it said hello\nhint: run it by hand; its first line must be {\"hello\":{\"can\":[…]}}", name, argv[0])
	case <-limit.C:
		return nil, errors.Join(fmt.Errorf("open part %q: control program %s said no hello within %v\nhint: its first line must be {\"hello\":{\"can\":[…]}}; flush the output after each line", name, argv[0], helloLimit), c.Close())
	}
	for _, want := range env.Part.Can {
		if !c.Has(want) {
			return nil, errors.Join(fmt.Errorf("open part %q: control program %s does not offer %s, it says hello with %q\nhint: add it there, or take it out of can in the product file", name, argv[0], want, c.can), c.Close())
		}
	}
	return c, nil
}

// run starts the program with its three pipes.
func (c *Control) run(cmd *exec.Cmd) error {
	var pipes [6]*os.File // read and write end of its input, output and errors
	for i := 0; i < len(pipes); i += 2 {
		var err error
		if pipes[i], pipes[i+1], err = os.Pipe(); err != nil {
			closeAll(pipes[:i]...)
			return err
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes[0], pipes[3], pipes[5]
	read := make(chan struct{})
	group, err := startGroup(cmd, func() {
		drain(c.env, read, pipes[2], pipes[4])
		c.console.close()
	}, c.ended)
	closeAll(pipes[0], pipes[3], pipes[5])
	if err != nil {
		closeAll(pipes[1], pipes[2], pipes[4])
		return err
	}
	c.group, c.in = group, pipes[1]

	var readers sync.WaitGroup
	readers.Go(func() { c.listen(pipes[2]) })
	readers.Go(func() { c.console.read(pipes[4], nil) })
	go func() {
		readers.Wait()
		close(read)
	}()
	return nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// ended says on the console that the program is gone, unless it was told to go.
func (c *Control) ended(status string) {
	c.mu.Lock()
	closing := c.closing
	c.mu.Unlock()
	if closing {
		return
	}
	if c.exited != nil {
		c.exited() // what it started ended with it
	}
	c.console.add("[shakedown: the control program ended: " + status + "]")
	c.console.close()
}

// listen takes in what the program says.
func (c *Control) listen(r io.Reader) {
	readLines(r, messageLimit, func(line []byte, cut bool) {
		var m message
		if cut || json.Unmarshal(line, &m) != nil || !c.take(m) {
			c.console.read(strings.NewReader(string(line)), nil)
		}
	})
}

// take acts on one message. It tells whether the message made sense here.
func (c *Control) take(m message) bool {
	switch {
	case m.Hello != nil:
		if c.greeted {
			return false
		}
		c.greeted = true
		c.hello <- m.Hello.Can
		return true
	case m.Event == "console":
		c.console.read(strings.NewReader(m.Line), nil)
		return true
	case m.Event == "exit":
		if c.exited != nil {
			c.exited() // before the event, so that whoever is woken by it can start the part again
		}
		c.env.Log.Add(evidence.Event{Part: c.env.Part.Name, Kind: evidence.Exit, Text: firstLine(m.Status)})
		return true
	case m.ID != nil:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.reply == nil || *m.ID != c.last {
			return false // too late, or never asked for
		}
		c.reply <- m
		c.reply = nil
		return true
	}
	return false
}

// firstLine is the first line of s, no longer than a console line.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.ToValidUTF8(s[:min(len(s), lineLimit)], "")
}

// Can is what the program said it can do.
func (c *Control) Can() []product.Capability { return slices.Clone(c.can) }

// Has tells whether the program said it can do what.
func (c *Control) Has(what product.Capability) bool { return slices.Contains(c.can, what) }

// Do has the program carry out one verb and returns the value of its reply, nil if there is none. It fails when the program says
// so, has ended, or does not reply within 30 s of wall time or ctx.
func (c *Control) Do(ctx context.Context, verb string, args any) (json.RawMessage, error) {
	c.asking.Lock()
	defer c.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	reply := make(chan message, 1)
	c.mu.Lock()
	c.last++
	id := c.last
	c.reply = reply
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.reply = nil
		c.mu.Unlock()
	}()

	if err := c.say(ctx, request{ID: id, Do: verb, Args: args}); err != nil && c.group.alive() && ctx.Err() == nil {
		return nil, fmt.Errorf("tell the control program of part %q to %s: %w\nhint: it must read its input until the end", c.env.Part.Name, verb, err)
	}
	select {
	case m := <-reply:
		if !m.OK {
			return nil, fmt.Errorf("control program of part %q: %s failed: %s\nhint: this is the answer of your program to %s", c.env.Part.Name, verb, firstLine(m.Error), verb)
		}
		return m.Value, nil
	case <-c.group.done:
		return nil, fmt.Errorf("control program of part %q: %s: the program has ended\nhint: the console of the part shows its last lines", c.env.Part.Name, verb)
	case <-ctx.Done():
		return nil, fmt.Errorf("control program of part %q: %s: no reply with id %d: %w\nhint: reply to every request within %v, and flush the output after each line", c.env.Part.Name, verb, id, ctx.Err(), c.patience)
	}
}

// say writes one request; ctx ends a write that the program does not take. After half a request nothing more can be said.
func (c *Control) say(ctx context.Context, r request) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		_ = c.in.SetWriteDeadline(time.Unix(1, 0))
	})
	n, err := c.in.Write(append(line, '\n'))
	if !stop() {
		<-fired
		if n == 0 || err == nil {
			_ = c.in.SetWriteDeadline(time.Time{})
		}
	}
	return err
}

// Close ends the program's input, which tells it to end the part and itself, and kills it when it has not done so in 5 s.
func (c *Control) Close() error {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.in.Close()
	if c.group.await(context.Background(), quitLimit) {
		return nil
	}
	if err := c.group.kill(); err != nil {
		return fmt.Errorf("end the control program of part %q: %w\nhint: it must end when its input ends", c.env.Part.Name, err)
	}
	return nil
}
