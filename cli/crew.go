package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shakedown-test/shakedown/fleet/share"
)

// One process plays up to so many devices, where the system lets it have as many files and some more; and there are at most so many.
const (
	perWorker  = 17_000
	spareFiles = 500
	maxWorkers = 512
)

// devicesOfWorker is how many devices a worker process can have.
func devicesOfWorker() int { return max(100, min(perWorker, fileLimit()-spareFiles)) }

// crew are worker processes of this program, and the NATS server in this process by which they are spoken to.
type crew struct {
	app      *app
	server   *share.Server
	conn     *nats.Conn
	children []*child
}

// child is a worker process. It ends when its standard input does, which is when this process ends, however that comes about.
type child struct {
	stdin io.Closer
	said  *tail
	ended chan error // how it ended
}

// over reports whether it has ended.
func (w *child) over() bool {
	select {
	case err := <-w.ended:
		w.ended <- err
		return true
	default:
		return false
	}
}

func (a *app) newCrew(ctx context.Context) (*crew, error) {
	server, err := share.Serve()
	if err != nil {
		return nil, err
	}
	c := &crew{app: a, server: server}
	if c.conn, err = share.Dial(ctx, server.Access(), "swarm"); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return c, nil
}

// grow starts workers until there are as many as that.
func (c *crew) grow(n int) error {
	c.children = slices.DeleteFunc(c.children, (*child).over)
	for len(c.children) < n {
		if err := c.start(n); err != nil {
			return fmt.Errorf("start a worker process: %w", err)
		}
	}
	return nil
}

func (c *crew) start(of int) error {
	program, err := c.app.Program()
	if err != nil {
		return err
	}
	access, err := json.Marshal(c.server.Access())
	if err != nil {
		return err
	}
	w := &child{said: &tail{}, ended: make(chan error, 1)}
	cmd := exec.Command(program, "agent", "--"+workerFlag)
	cmd.Args[0] = "shakedown"
	cmd.Env = cmd.Environ()
	if c.app.Getenv("GOMAXPROCS") == "" { // they share the processors
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", min(runtime.NumCPU(), max(2, runtime.NumCPU()/of))))
	}
	cmd.Stderr = w.said
	apart(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	w.stdin = stdin
	if err := cmd.Start(); err != nil {
		return err
	}
	c.children = append(c.children, w)
	go func() { w.ended <- cmd.Wait() }()
	_, err = stdin.Write(append(access, '\n')) // the password goes where nobody else looks
	return err
}

// close ends all.
func (c *crew) close() {
	for _, w := range c.children {
		w.stdin.Close()
	}
	for _, w := range c.children {
		if err := <-w.ended; err != nil {
			c.app.tell(fmt.Sprintf("a worker process ended badly: %v %s", err, bytes.TrimSpace(w.said.last)))
		}
	}
	c.conn.Close()
	if err := c.server.Close(); err != nil {
		c.app.tell(fmt.Sprintf("stop NATS: %v", err))
	}
}

// tail keeps the last bytes that are written to it.
type tail struct{ last []byte }

func (t *tail) Write(b []byte) (int, error) {
	const most = 4 << 10
	t.last = append(t.last, b...)
	t.last = t.last[max(0, len(t.last)-most):]
	return len(b), nil
}

// goodbye is how long a worker may take to end after the process that started it.
const goodbye = 5 * time.Second
