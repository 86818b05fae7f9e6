package driver

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/product"
)

// drainLimit is the wall time after a program's end in which the last of what it printed must have come. Only a process that left
// the group can hold the console open for longer.
const drainLimit = time.Second

// process runs a part as a program on this machine, in a process group of its own.
type process struct {
	env   Env
	argv  []string
	added []string       // NAME=value
	ready *regexp.Regexp // nil: up as soon as it was started
	group *group         // nil before the first start
	alone *join.Program  // its network of its own; nil: it uses the machine's
}

// openProcess makes the driver of a part with a command. Nothing runs yet.
func openProcess(env Env) (Driver, error) {
	p := &process{env: env}
	name := env.Part.Name
	if len(env.Part.Command) == 0 {
		return nil, fmt.Errorf("open part %q: driver process has no command\nhint: give the program and its arguments: command: [./device, --port, \"{broker.port}\"]", name)
	}
	var err error
	if p.argv, err = expandAll(env.Part.Command, env.Values); err != nil {
		return nil, fmt.Errorf("open part %q: command: %w", name, err)
	}
	for _, key := range slices.Sorted(maps.Keys(env.Part.Env)) {
		value, err := product.Expand(env.Part.Env[key], env.Values)
		if err != nil {
			return nil, fmt.Errorf("open part %q: env %s: %w", name, key, err)
		}
		p.added = append(p.added, key+"="+value)
	}
	if env.Part.Ready != "" {
		if p.ready, err = regexp.Compile(env.Part.Ready); err != nil {
			return nil, fmt.Errorf("open part %q: ready pattern: %w\nhint: patterns are RE2: https://github.com/google/re2/wiki/Syntax", name, err)
		}
	}
	return p, nil
}

func expandAll(list []string, values map[string]string) ([]string, error) {
	out := make([]string, len(list))
	for i, s := range list {
		var err error
		if out[i], err = product.Expand(s, values); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Start runs the program, and waits for its ready pattern if it has one. If that does not come, it is killed again.
func (p *process) Start(ctx context.Context) error {
	if p.running() {
		return nil
	}
	up := make(chan struct{})
	if p.ready == nil {
		close(up)
	}
	p.env.power("start")
	if err := p.run(up); err != nil {
		return fmt.Errorf("start part %q: run %s: %w\nhint: check command in the product file; it runs in the folder that Shakedown was started in", p.env.Part.Name, p.argv[0], err)
	}
	select {
	case <-up:
		return nil
	case <-p.group.done:
		return fmt.Errorf("start part %q: it ended before it printed %q\nhint: its last console lines say why", p.env.Part.Name, p.ready)
	case <-ctx.Done():
		_ = p.group.kill()
		return fmt.Errorf("start part %q: it did not print %q: %w\nhint: check ready in the product file against what the part prints", p.env.Part.Name, p.ready, ctx.Err())
	}
}

// run starts the program, and closes up when the ready pattern is seen.
func (p *process) run(up chan struct{}) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Env = append(cmd.Environ(), p.added...)
	cmd.Stdout, cmd.Stderr = w, w
	alone, err := p.prepare(cmd)
	if err != nil {
		r.Close()
		return err
	}

	console := newConsole(p.env)
	read := make(chan struct{})
	var once sync.Once
	said := ""
	group, err := startGroup(cmd, func() {
		drain(p.env, read, r)
		console.close()
		said = alone.Status()
		alone.Close()
	}, func(status string) {
		p.env.Log.Add(evidence.Event{Part: p.env.Part.Name, Kind: evidence.Exit, Text: cmp.Or(said, status)})
	})
	if err != nil {
		r.Close()
		alone.Close()
		return err
	}
	p.group, p.alone = group, alone
	go func() {
		defer close(read)
		console.read(r, func(line string) {
			if p.ready != nil && p.ready.MatchString(line) {
				once.Do(func() { close(up) })
			}
		})
	}()
	if err := alone.Enter(); err != nil {
		_ = group.kill()
		return err
	}
	return nil
}

// prepare has the program run in the network that it is alone in; nil: it uses the machine's.
func (p *process) prepare(cmd *exec.Cmd) (*join.Program, error) {
	if p.env.Place == nil {
		return nil, nil
	}
	return p.env.Place.Prepare(cmd)
}

// drain waits for the readers of an ended program's pipes, and closes the pipes. Closing makes a reader end that still waits.
func drain(env Env, read <-chan struct{}, pipes ...io.Closer) {
	limit := time.NewTimer(drainLimit)
	defer limit.Stop()
	select {
	case <-read:
	case <-limit.C:
		env.Log.Add(evidence.Event{
			Part: env.Part.Name, Kind: evidence.Console,
			Text: "[shakedown: the program ended, but a process that left its group holds its console open]",
		})
	}
	for _, pipe := range pipes {
		pipe.Close()
	}
	<-read
}

// Stop sends SIGTERM to the group, and SIGKILL after 5 s of wall time or when ctx is done; a "kill" in the log shows that.
func (p *process) Stop(ctx context.Context) error {
	if !p.running() {
		return nil
	}
	p.env.power("stop")
	killed, err := p.group.stop(ctx)
	if killed {
		p.env.power("kill")
	}
	return p.failed("stop", err)
}

// Kill sends SIGKILL to the group. It is as near to a power cut as a process can come: the program does nothing more, and in a network
// of its own nothing more is heard of it. On the machine's network the kernel still closes its connections, so the peer gets a FIN or a
// reset. What it wrote to files is kept.
func (p *process) Kill(context.Context) error {
	if !p.running() {
		return nil
	}
	p.env.power("kill")
	p.alone.Leave()
	return p.failed("kill", p.group.kill())
}

// Readdress gives the program, which keeps running, another IPv4 address in the network that it is alone in. Starts after this one have
// it too.
func (p *process) Readdress(to netip.Prefix) error {
	place := p.env.Place
	if place == nil || len(place.Addresses) == 0 {
		return fmt.Errorf("give part %q another address: it configures its network itself: %w", p.env.Part.Name, ErrCannot)
	}
	next := *place
	next.Addresses = append(slices.DeleteFunc(slices.Clone(place.Addresses), func(a netip.Prefix) bool { return a.Addr().Is4() }), to)
	if p.running() {
		if err := p.alone.Readdress(next); err != nil {
			return fmt.Errorf("give part %q the address %s: %w", p.env.Part.Name, to, err)
		}
	}
	*place = next
	return nil
}

// Close kills the group and waits for its end.
func (p *process) Close() error { return p.Kill(context.Background()) }

func (p *process) running() bool { return p.group != nil && p.group.alive() }

func (p *process) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s part %q: %w\nhint: look at what the process waits for: ps -o pid,stat,wchan,args", what, p.env.Part.Name, err)
}
