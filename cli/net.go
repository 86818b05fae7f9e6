package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/capture"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/clock"
)

// netFlags are the flags of net.
type netFlags struct {
	profile, iface, capture string
	names                   []string
	seed                    uint64
	dhcp, quiet, secrets    bool
	uplink                  bool
}

func (a *app) netCommand() *cobra.Command {
	var f netFlags
	c := &cobra.Command{
		Use:   "net [flags] [-- COMMAND [ARGUMENT]…]",
		Short: "Run a program, or put a device, in a network that misbehaves",
		Long: `Runs any program inside a network of Shakedown's own, or puts a physical device
behind it: a home router with NAT, UPnP, DHCP and DNS, and an internet with time
servers and the names that you give. Nothing of it reaches this machine's network;
with --uplink it reaches public addresses of the internet, through the network
that misbehaves, and still nothing of this machine's own networks.

While it runs it shows what passes and what is done to it: in a status block on
a terminal, as lines elsewhere. It ends with the command, with its exit status,
or at Ctrl-C. A program needs Linux, but no root where the kernel lets users have
namespaces; a device needs root and a network interface of its own.

There is always a web server and an echo at ` + testbed.Meeting + `. docs/network.md says more.`,
		Example: `  shakedown net --profile lte-m -- curl -s http://` + testbed.Meeting + `/
  shakedown net --profile edge-of-range --name broker.example=127.0.0.1:1883 -- ./my-device --host broker.example
  sudo shakedown net --profile flapping-dsl --interface eth1 --capture device.pcapng
  sudo shakedown net --profile nb-iot --interface eth1 --uplink`,
		Args: func(c *cobra.Command, args []string) error { return f.check(c.ArgsLenAtDash(), args) },
		RunE: func(c *cobra.Command, args []string) error { return a.net(c.Context(), f, args) },
	}
	fl := c.Flags()
	fl.StringVar(&f.profile, "profile", "", "`name` of what the network is like (default: nothing is wrong with it)")
	fl.StringArrayVar(&f.names, "name", nil, "a `name` in its DNS: NAME for a web server, NAME=HOST:PORT to pass connections on to this machine's network")
	fl.StringVar(&f.iface, "interface", "", "put the device behind this `interface` of this machine into it, instead of a command")
	fl.BoolVar(&f.uplink, "uplink", false, "let it out: names and addresses that the network does not have are those of the real internet")
	fl.StringVar(&f.capture, "capture", "", "write what passes to this `file` (pcapng)")
	fl.BoolVar(&f.secrets, "keep-secrets", false, "do not blank in it what may be secret")
	fl.BoolVar(&f.dhcp, "dhcp", false, "give the command no address: it asks for one by DHCP itself")
	fl.BoolVar(&f.quiet, "quiet", false, "show nothing; for commands that need the terminal for themselves")
	fl.Uint64Var(&f.seed, "seed", 0, "`number` that all chance comes from (default: a new one)")
	complete(c, "profile", profileNames())
	return c
}

func profileNames() (names []string) {
	for _, p := range profile.All() {
		names = append(names, p.Name)
	}
	return names
}

// check holds the flags against each other and the command.
func (f *netFlags) check(dash int, args []string) error {
	switch {
	case dash > 0 || dash < 0 && len(args) > 0:
		return usage(fmt.Errorf("%q is not a flag\nhint: put -- before the command: shakedown net --profile NAME -- COMMAND", args[0]))
	case f.iface == "" && len(args) == 0:
		return usage(errors.New("nothing is to be put into the network\nhint: add -- COMMAND, or --interface NAME"))
	case f.iface != "" && len(args) > 0:
		return usage(errors.New("an interface and a command do not go together\nhint: leave one of them out"))
	case f.iface != "" && f.dhcp:
		return usage(errors.New("--dhcp is about commands; a device asks for its address as it likes\nhint: leave it out"))
	}
	return nil
}

// net opens the network and runs what is to be in it.
func (a *app) net(ctx context.Context, f netFlags, command []string) (err error) {
	if f.iface == "" {
		if err := join.Available(); err != nil {
			return failed(err)
		}
	}
	if f.seed == 0 {
		f.seed = rand.Uint64() >> 1
	}
	var p profile.Profile
	if f.profile != "" {
		if p, err = profile.Named(f.profile); err != nil {
			return usage(err)
		}
	}
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	defer log.Close()
	b, err := testbed.OpenNetwork(clk, log, f.seed)
	if err != nil {
		return failed(err)
	}
	defer b.Close()
	if _, err := b.Gateway(); err != nil {
		return failed(err)
	}
	for _, n := range f.names {
		name, to, _ := strings.Cut(n, "=")
		if err := b.Publish(name, to); err != nil {
			return usage(fmt.Errorf("--name %s: %w\nhint: write NAME or NAME=HOST:PORT", n, err))
		}
	}
	if f.uplink {
		o, err := a.Outside()
		if err == nil {
			err = b.Connect(o)
		}
		if err != nil {
			return failed(err)
		}
	}
	place := b.Place("device", !f.dhcp)
	if f.capture != "" {
		end, err := a.record(f, place.Link, clk)
		if err != nil {
			return usage(err)
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	show := a.watchNet(f, b, place.Link)
	defer show.close()
	var env []string
	if f.profile != "" {
		s, err := b.Enter(p, place.Link)
		if err != nil {
			return failed(err)
		}
		defer s.Leave()
		s.Shut()
		if s.Proxy != nil {
			env = []string{"http_proxy=" + s.Proxy.URL, "https_proxy=" + s.Proxy.URL, "HTTPS_PROXY=" + s.Proxy.URL}
		}
	}
	if f.iface != "" {
		return a.device(ctx, f.iface, place.Link)
	}
	return a.program(ctx, place, command, env, show)
}

// record writes what passes on the link to a file.
func (a *app) record(f netFlags, l *frame.Link, clk *clock.Clock) (end func() error, err error) {
	file, err := os.Create(f.capture)
	if err != nil {
		return nil, fmt.Errorf("%w\nhint: choose another file with --capture", err)
	}
	r, err := capture.New(file, capture.Options{Name: l.Name(), Clock: clk, KeepSecrets: f.secrets})
	if err != nil {
		file.Close()
		return nil, err
	}
	stop := l.Watch(r.See)
	return func() error {
		stop()
		if err := errors.Join(r.Close(), file.Close()); err != nil {
			return failed(fmt.Errorf("write the capture: %w", err))
		}
		if n := r.Dropped(); n > 0 {
			fmt.Fprintf(a.Stderr, "capture: full; the last %d packets are not in it\n", n)
		}
		return nil
	}, nil
}

// device has what is behind an interface in the network until ctx ends.
func (a *app) device(ctx context.Context, name string, l *frame.Link) error {
	leave, err := join.Interface(name, l)
	if err != nil {
		return failed(err)
	}
	defer leave()
	<-ctx.Done()
	return nil
}
