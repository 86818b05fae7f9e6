package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/shakedown-test/shakedown/link/join"
)

// Wall times that a program has to end: by Ctrl-C, which it hears as we do, and then by SIGTERM.
const (
	heardGrace = 2 * time.Second
	askedGrace = 3 * time.Second
)

// program runs a command in the network, with env added to its environment, and ends with its exit status.
func (a *app) program(ctx context.Context, place join.Place, command, env []string, show *netWatch) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Stdin, show.over(a.Stdout, a.OutTerminal), show.over(a.Stderr, a.ErrTerminal)
	if len(env) > 0 {
		cmd.Env = append(cmd.Environ(), env...)
	}
	cmd.WaitDelay = time.Second // for what it left behind with its output open
	p, err := place.Prepare(cmd)
	if err != nil {
		return usage(fmt.Errorf("%w\nhint: the command must be a program: shakedown net -- COMMAND", err))
	}
	defer p.Close()
	if err := cmd.Start(); err != nil {
		return failed(fmt.Errorf("make namespaces: %w", err))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := p.Enter(); err != nil {
		p.Close()
		<-ended
		return failed(err)
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = finish(p, ended)
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return &exitError{exit.ExitCode(), nil}
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return failed(err)
	}
	return nil
}

// finish gives the program time to end, and ends it.
func finish(p *join.Program, ended <-chan error) error {
	for _, step := range []struct {
		do   func()
		wait time.Duration
	}{
		{func() {}, heardGrace},
		{func() { p.Signal(syscall.SIGTERM) }, askedGrace},
	} {
		step.do()
		limit := time.NewTimer(step.wait)
		select {
		case err := <-ended:
			limit.Stop()
			return err
		case <-limit.C:
		}
	}
	p.Close()
	return <-ended
}
