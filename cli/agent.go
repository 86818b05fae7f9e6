package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/fleet/share"
)

// workerFlag makes an agent a worker of the process that started it.
const workerFlag = "worker"

func (a *app) agentCommand() *cobra.Command {
	var f natsFlags
	var sources []string
	var worker bool
	c := &cobra.Command{
		Use:   "agent",
		Short: "Play a share of a fleet, for swarm on another machine",
		Long: `Waits for shakedown swarm --nats with the same NATS server, and plays shares of its
fleets, one run at a time, until it is stopped. Start one on each machine, or as
many as a machine has use for: one for every 17,000 devices.

The NATS server needs JetStream. Who may speak to it can have this machine open
connections to anywhere: give it users, and TLS.`,
		Example: `  shakedown agent --nats tls://nats.example.com:4222 --nats-creds agent.creds
  NATS_USER=agent NATS_PASSWORD=… shakedown agent --nats nats://10.0.0.5:4222`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if worker {
				return a.worker(cmd.Context())
			}
			return a.agent(cmd.Context(), f, sources)
		},
	}
	fl := c.Flags()
	f.add(fl, "`URL` of the NATS server, such as nats://host:4222 or tls://host:4222")
	fl.StringSliceVar(&sources, "source", nil, "`addresses` of this machine to connect from, in turn (default: the system's choice)")
	fl.BoolVar(&worker, workerFlag, false, "")
	if err := fl.MarkHidden(workerFlag); err != nil { // it fails only for a flag that is not there
		panic(err)
	}
	return c
}

func (a *app) agent(ctx context.Context, f natsFlags, sources []string) error {
	a.thrifty()
	if f.url == "" {
		return usage(errors.New("agent: where is the NATS server?\nhint: --nats nats://host:4222"))
	}
	who := &share.Agent{Note: func(text string) { a.note("%s", text) }}
	for _, s := range sources {
		address, err := netip.ParseAddr(s)
		if err != nil {
			return usage(fmt.Errorf("--source %s: it is not an address", s))
		}
		who.Sources = append(who.Sources, address)
	}
	nc, err := share.Dial(ctx, f.access(a), "agent")
	if err != nil {
		return failed(err)
	}
	defer nc.Close()
	a.note("waits for fleets at %s", f.url)
	return failedIf(who.Serve(ctx, nc))
}

// thrifty has the heap collected four times as often: a fleet makes little garbage, and should not hold more of it than of devices.
func (a *app) thrifty() {
	if a.Getenv("GOGC") == "" {
		debug.SetGCPercent(25)
	}
}

// worker is an agent of the process that started it: how to reach the server comes by standard input, and the end of that is its own.
func (a *app) worker(ctx context.Context) error {
	a.thrifty()
	in := bufio.NewReader(io.LimitReader(a.Stdin, 1<<20))
	line, err := in.ReadBytes('\n')
	var access share.Access
	if err == nil {
		err = json.Unmarshal(line, &access)
	}
	if err != nil {
		return failed(fmt.Errorf("read how the server is reached: %w", err))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
		<-time.After(goodbye)
		a.Exit(exitFailed)
	}()
	nc, err := share.Dial(ctx, access, "worker")
	if err != nil {
		return failed(err)
	}
	defer nc.Close()
	defer access.Sweep()
	return failedIf((&share.Agent{Local: true}).Serve(ctx, nc))
}

func failedIf(err error) error {
	if err != nil {
		return failed(err)
	}
	return nil
}
