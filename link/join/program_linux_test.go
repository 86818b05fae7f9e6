package join

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

// needsNamespaces skips a test where there are none.
func needsNamespaces(t testing.TB) {
	t.Helper()
	if err := Available(); err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
}

// world is one home network, with a station for a program.
func world(t testing.TB) (*internet.World, Place) {
	t.Helper()
	w, err := internet.Open(internet.Config{Clock: clock.New(1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w, Place{
		Link: w.Home().Station("program"), MAC: net.HardwareAddr{2, 0, 0, 0, 0, 9}, Addresses: []netip.Prefix{w.Home().Address()},
		Routers: []netip.Addr{w.Home().Router.LAN().Addr()}, Resolvers: []netip.Addr{netip.MustParseAddr("192.168.1.1")},
		Hosts: map[string]netip.Addr{"broker.example": netip.MustParseAddr("203.0.113.10")},
	}
}

// enter runs a shell script in the place, and gives what it prints as it comes.
func enter(t testing.TB, place Place, script string) (*exec.Cmd, *Program, io.Reader) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	cmd.Stdout, cmd.Stderr = w, w
	p, err := place.Prepare(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	if err := p.Enter(); err != nil {
		t.Fatal(err)
	}
	return cmd, p, r
}

// prints runs a script to its end.
func prints(t *testing.T, place Place, script string) string {
	t.Helper()
	cmd, p, r := enter(t, place, script)
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	p.Close()
	return string(out)
}

func TestAvailable(t *testing.T) {
	err := Available()
	if err != nil && !strings.Contains(err.Error(), "\nhint: ") {
		t.Errorf("no remedy: %v", err)
	}
	t.Log(err)
}

func TestPlaceIsItsOwn(t *testing.T) {
	needsNamespaces(t)
	_, place := world(t)
	before, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	out := prints(t, place, `cat /etc/resolv.conf /etc/hosts; grep hosts: /etc/nsswitch.conf; cat /proc/net/dev; cat /proc/net/route; id -u; echo "pid $PPID"
		cat /sys/class/net/eth0/address; echo lost >/etc/hosts && echo written`)
	for _, want := range []string{
		"nameserver 192.168.1.1\n", "203.0.113.10 broker.example\n", "hosts: files dns\n", " eth0:", "lo:",
		"eth0\t00000000\t0101A8C0", "\n0\n", "02:00:00:00:00:09", "written",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if strings.Count(out, ":  ") > 0 && strings.Contains(out, "ens") {
		t.Errorf("it sees interfaces of the machine:\n%s", out)
	}
	after, err := os.ReadFile("/etc/hosts")
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the machine's hosts file changed: %v\n%s", err, after)
	}
}

// server answers every connection to a name of the world with a line.
func server(t *testing.T, w *internet.World, line string) netip.AddrPort {
	t.Helper()
	a, err := w.Name("server.example")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(a, 80)
	l, err := w.Servers.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, line)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return at
}

// dials has this test run again inside the place, where it dials and prints what it is told.
func dials(t *testing.T) bool {
	to := os.Getenv("JOIN_TEST_DIALS")
	if to == "" {
		return false
	}
	for {
		c, err := net.DialTimeout("tcp", to, time.Second)
		if err != nil {
			os.Stdout.WriteString("error: " + err.Error() + "\n")
			time.Sleep(50 * time.Millisecond)
		} else {
			_, _ = io.Copy(os.Stdout, c)
			c.Close()
		}
		if os.Getenv("JOIN_TEST_GOES_ON") == "" {
			os.Exit(0)
		}
	}
}

func TestProgramReachesTheWorldAlone(t *testing.T) {
	if dials(t) {
		return
	}
	needsNamespaces(t)
	w, place := world(t)
	at := server(t, w, "hello from the world\n")
	machine, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	again := os.Args[0] + " -test.run='^TestProgramReachesTheWorldAlone$'"
	out := prints(t, place, "JOIN_TEST_DIALS="+at.String()+" "+again+"; JOIN_TEST_DIALS="+machine.Addr().String()+" "+again)
	if !strings.Contains(out, "hello from the world\n") {
		t.Errorf("it did not reach the world: %s", out)
	}
	if !strings.Contains(out, "connection refused") {
		t.Errorf("it reached the machine's loopback: %s", out)
	}
}

// finds waits until the program prints some text.
func finds(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	if f, ok := r.(*os.File); ok {
		_ = f.SetReadDeadline(time.Now().Add(10 * time.Second))
	}
	var all strings.Builder
	one := make([]byte, 1)
	for !strings.Contains(all.String(), text) {
		if _, err := r.Read(one); err != nil {
			t.Fatalf("%q did not come: %v\n%s", text, err, &all)
		}
		all.Write(one)
	}
	return all.String()
}

func TestCarrierFollowsOutage(t *testing.T) {
	needsNamespaces(t)
	_, place := world(t)
	undo := place.Link.Outage() // before it enters
	_, _, r := enter(t, place, `while :; do cat /sys/class/net/eth0/carrier; sleep 0.02; done`)
	finds(t, r, "0\n0\n")
	undo()
	finds(t, r, "1\n1\n")
	defer place.Link.Outage()()
	finds(t, r, "0\n0\n")
}

func TestNothingOutlivesIt(t *testing.T) {
	needsNamespaces(t)
	for name, end := range map[string]func(*exec.Cmd, *Program){
		"killed":     func(c *exec.Cmd, _ *Program) { _ = c.Process.Kill() },
		"closed":     func(_ *exec.Cmd, p *Program) { p.Close() },
		"terminated": func(c *exec.Cmd, _ *Program) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			_, place := world(t)
			cmd := exec.Command("/bin/sh", "-c", `setsid sh -c 'echo $$ >&2; exec sleep 100' & echo up; wait`)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			cmd.Stdout, cmd.Stderr = w, w
			p, err := place.Prepare(cmd)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if err := p.Enter(); err != nil {
				t.Fatal(err)
			}
			finds(t, r, "up\n")
			end(cmd, p)
			_ = cmd.Wait()
			_ = r.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := io.ReadAll(r); err != nil { // the daemon held it open
				t.Errorf("something runs on: %v", err)
			}
		})
	}
}

// TestEndsWithUs runs this test again as a process that has a program in a place, and kills that process.
func TestEndsWithUs(t *testing.T) {
	if os.Getenv("JOIN_TEST_DIES") != "" {
		_, place := world(t)
		_, _, r := enter(t, place, `setsid sleep 100 & echo up; wait`)
		finds(t, r, "up\n")
		os.Stdout.WriteString("up\n")
		select {}
	}
	needsNamespaces(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestEndsWithUs$")
	cmd.Env = append(cmd.Environ(), "JOIN_TEST_DIES=1")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	finds(t, r, "up\n")
	children := programs(t)
	if children == 0 {
		t.Error("no program runs")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for end := time.Now().Add(5 * time.Second); programs(t) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("programs outlive us")
		}
	}
}

// programs counts the first processes of programs of this test binary.
func programs(t *testing.T) (n int) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		line, _ := os.ReadFile(name)
		exe, _ := os.Readlink(filepath.Join(filepath.Dir(name), "exe"))
		if strings.HasPrefix(string(line), marker+"\x00") && exe == ours {
			n++
		}
	}
	return n
}

func TestStatus(t *testing.T) {
	needsNamespaces(t)
	for script, want := range map[string]string{"exit 3": "exit status 3", "kill -SEGV $$": "signal: segmentation fault"} {
		_, place := world(t)
		cmd, p, _ := enter(t, place, script)
		_ = cmd.Wait()
		if got := strings.TrimSuffix(p.Status(), " (core dumped)"); got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	needsNamespaces(t)
	_, place := world(t)
	cmd := exec.Command("./not-there")
	p, err := place.Prepare(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err = p.Enter()
	p.Close()
	_ = cmd.Wait()
	if err == nil || !strings.Contains(err.Error(), "not-there: no such file") {
		t.Errorf("%v", err)
	}
}

// TestLatencyThroughTAP holds that latency asked of the link is what a program sees.
func TestLatencyThroughTAP(t *testing.T) {
	if dials(t) {
		return
	}
	needsNamespaces(t)
	w, place := world(t)
	at := server(t, w, "x\n")
	undo := place.Link.Latency(frame.Both, frame.Latency{Delay: 100 * time.Millisecond})
	defer undo()
	begun := time.Now()
	prints(t, place, "JOIN_TEST_DIALS="+at.String()+" "+os.Args[0]+" -test.run='^TestLatencyThroughTAP$'")
	if took := time.Since(begun); took < 300*time.Millisecond || took > 3*time.Second { // ARP, SYN, data: three times there, twice back at least
		t.Errorf("ARP and a connection took %s", took)
	}
}

// What a program sent before it ended arrives, though nobody read it yet when its process was gone.
func TestEndsWithWhatItSent(t *testing.T) {
	needsNamespaces(t)
	w, place := world(t)
	at := netip.MustParseAddrPort("203.0.113.10:9")
	if err := w.Serve(at.Addr()); err != nil {
		t.Fatal(err)
	}
	conn, err := w.Servers.ListenPacket(at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const sent = 100
	prints(t, place, `bash -c 'exec 3>/dev/udp/203.0.113.10/9; echo first >&3; sleep 0.2; for i in $(seq 100); do echo $i >&3; done'`)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	for n, packet := 0, make([]byte, 100); n < 1+sent; n++ {
		if _, _, err := conn.ReadFrom(packet); err != nil {
			t.Fatalf("%d of %d packets: %v", n, 1+sent, err)
		}
	}
}
