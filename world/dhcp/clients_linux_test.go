package dhcp

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/join"
)

// report is a script as udhcpc and dhclient call one, which prints what it was told and configures the interface.
const report = `#!/bin/sh
echo "$1$reason address=$ip$new_ip_address router=$router$new_routers dns=$dns$new_domain_name_servers mtu=$mtu$new_interface_mtu"
[ -n "$ip$new_ip_address" ] && ip addr replace "$ip$new_ip_address/24" dev eth0
exit 0
`

// Clients that devices and computers have: busybox's, and ISC's.
func TestRealClients(t *testing.T) {
	if err := join.Available(); err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "report")
	if err := os.WriteFile(script, []byte(report), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string][]string{
		"udhcpc":   {"udhcpc", "-f", "-i", "eth0", "-s", script, "-O", "mtu", "-t", "5", "-T", "1"},
		"dhclient": {"dhclient", "-d", "-lf", filepath.Join(dir, "leases"), "-pf", filepath.Join(dir, "pid"), "-sf", script, "eth0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("NOT RUN: %v", err)
			}
			r := newRig(t)
			r.Set(func(l *Leases) { l.MTU, l.Lease = 1400, 6*time.Second })
			said := run(t, join.Place{Link: r.world.Home().Station(name), MAC: net.HardwareAddr{2, 0, 0, 0, 0, 9}}, command)
			for {
				line := <-said
				if strings.Contains(line, "address=192.168.1.") {
					if !strings.Contains(line, "router=192.168.1.1 dns=192.168.1.1") {
						t.Errorf("it was told: %s", line)
					}
					break
				}
				if line == "" {
					t.Fatal("it got no address")
				}
			}
			undo := r.Set(func(l *Leases) { l.Refuse = true })
			r.heard(t, "a renewal", func(m Message) bool { return m.Renews() && m.Unicast })
			r.heard(t, "a new beginning after NAK", func(m Message) bool { return m.Type == "DISCOVER" })
			undo()
		})
	}
}

// run starts a program in a place, and gives the lines that it prints; an empty one at the end, or when it takes too long.
func run(t *testing.T, place join.Place, command []string) <-chan string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = in, in
	p, err := place.Prepare(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := p.Enter(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	lines := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(lines)
		scan := bufio.NewScanner(io.LimitReader(out, 1<<20))
		for scan.Scan() {
			t.Log(scan.Text())
			select {
			case lines <- scan.Text() + " ":
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		p.Close()
		out.Close()
		<-done
	})
	return lines
}

// heard waits for a message from a client, from now on.
func (r *rig) heard(t *testing.T, what string, match func(Message) bool) {
	t.Helper()
	ctx, cancel := r.o.Clock.Timeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := r.log.Await(ctx, r.log.Len(), func(e evidence.Event) bool {
		m, ok := e.Data.(Message)
		return ok && e.Kind == evidence.In && match(m)
	}); err != nil {
		t.Errorf("never: %s", what)
	}
}
