package driver

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/product"
)

// runInWorld starts a shell script as a part in a network of its own.
func runInWorld(t *testing.T, script string) (*internet.World, Env, *process) {
	t.Helper()
	if err := join.Available(); err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	env := testEnv(t, product.Part{Name: "lamp", Driver: "process", Command: []string{"/bin/sh", "-c", script}})
	w, err := internet.Open(internet.Config{Clock: env.Clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	home := w.Home()
	env.Place = &join.Place{
		Link: home.Station("lamp"), Addresses: []netip.Prefix{home.Address()}, Routers: []netip.Addr{home.Router.LAN().Addr()},
	}
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, env, d.(*process)
}

func TestProcessInWorld(t *testing.T) {
	t.Parallel()
	_, env, p := runInWorld(t, `sh -c 'trap "sleep 0.2; echo saved; exit" TERM; echo child; while :; do sleep 0.05; done' & echo "up $$"; wait`)
	await(t, env, 0, evidence.Console, "^child$")
	if e := await(t, env, 0, evidence.Console, "^up [0-9]+$"); len(e.Text) > len("up 99") {
		t.Errorf("%s: it sees the machine's processes", e.Text)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, env, 0, evidence.Console, "^saved$")
	mark := env.Log.Len()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, env, mark, evidence.Console, "^up ")
	mark = env.Log.Len()
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, e := range env.Log.Since(mark) {
		if e.Kind == evidence.Exit {
			t.Errorf("its end counts as its own: %v", e)
		}
	}
}

func TestProcessInWorldEndsByItself(t *testing.T) {
	t.Parallel()
	_, env, _ := runInWorld(t, `setsid sh -c 'sleep 0.1; sleep 100' & echo up; kill -SEGV $$`)
	await(t, env, 0, evidence.Exit, "^signal: segmentation fault")
	for _, e := range env.Log.Since(0) {
		if e.Kind == evidence.Console && e.Text != "up" {
			t.Errorf("%q", e.Text)
		}
	}
}

func TestProcessInWorldThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, env, p := runInWorld(t, `sleep 100`)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p.argv = []string{"/does/not/exist"}
	hinted(t, p.Start(t.Context()), "/does/not/exist", `"lamp"`)
	if has(env, 0, evidence.Exit, "") {
		t.Error("it counts as a part that ended")
	}
}

// A cut of the power is a cut: the network hears no goodbye from the kernel.
func TestPowerCutInWorldIsSilent(t *testing.T) {
	t.Parallel()
	if err := join.Available(); err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	if _, err := os.Stat("/bin/bash"); err != nil {
		t.Skip("NOT RUN: it takes bash, which can open connections")
	}
	w, _, p := runInWorld(t, `until bash -c 'exec 3<>/dev/tcp/203.0.113.10/1883; echo hello >&3; sleep 100'; do sleep 0.05; done`)
	at, err := w.Name("broker.example")
	if err != nil {
		t.Fatal(err)
	}
	l, err := w.Servers.Listen(netip.AddrPortFrom(at, 1883))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hello := make([]byte, 6)
	if _, err := io.ReadFull(conn, hello); err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if n, err := conn.Read(hello); n != 0 || !os.IsTimeout(err) {
		t.Errorf("the server got %d bytes and %v, want silence", n, err)
	}
}

// A program that was given its address is given another while it runs, and keeps that one.
func TestReaddressInWorld(t *testing.T) {
	t.Parallel()
	w, env, p := runInWorld(t, `while :; do echo "at $(ip -4 -o address show eth0 | tr -s ' ' | cut -d' ' -f4) by $(ip route show default | cut -d' ' -f3)"; sleep 0.05; done`)
	if _, err := os.Stat("/bin/ip"); err != nil {
		t.Skip("NOT RUN: it takes ip, which shows addresses")
	}
	router := w.Home().Router.LAN().Addr().String()
	await(t, env, 0, evidence.Console, "^at "+regexp.QuoteMeta(env.Place.Addresses[0].String()+" by "+router)+"$")
	to := w.Home().Address()
	now := "^at " + regexp.QuoteMeta(to.String()+" by "+router) + "$"
	if err := p.Readdress(to); err != nil {
		t.Fatal(err)
	}
	mark := env.Log.Len()
	await(t, env, mark, evidence.Console, now)
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	mark = env.Log.Len()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, env, mark, evidence.Console, now)
}

func TestReaddressOfOneThatConfiguresItself(t *testing.T) {
	t.Parallel()
	env := testEnv(t, product.Part{Name: "lamp", Driver: "process", Command: []string{"/bin/true"}})
	for _, env.Place = range []*join.Place{nil, {}} {
		d, err := Open(Builtin(), env)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.(Readdresser).Readdress(netip.MustParsePrefix("192.168.1.9/24")); !errors.Is(err, ErrCannot) {
			t.Errorf("got %v, want ErrCannot", err)
		}
	}
}
