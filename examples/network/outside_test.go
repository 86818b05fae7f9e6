//go:build peers

package network

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/testbed"
)

// Where mirrors are: two ports of one address and one of another, and over IPv6.
var mirrors = []netip.AddrPort{
	netip.MustParseAddrPort("203.0.113.100:3478"), netip.MustParseAddrPort("203.0.113.100:3479"), netip.MustParseAddrPort("203.0.113.200:3478"),
	netip.MustParseAddrPort("[2001:db8:ffff::100]:3478"),
}

// ask is how scripts ask mirrors: udp, and tcp from a port of theirs, as in "udp 203.0.113.100:3478 5000 who". Order has the test
// do something and waits until it is done. Device, and device6 over IPv6, serve whoever comes at port 8080.
const ask = `udp() { at=$1 from=$2; shift 2; printf %s "$*" | socat -t ${wait:-10} - UDP:$at,sourceport=$from,readbytes=96 2>&1 | sed 's/.* E //'; }
	tcp() { at=$1 from=$2; shift 2; echo "$*" | socat -t ${wait:-10} - TCP:$at,sourceport=$from,reuseaddr,connect-timeout=5 2>&1 | sed 's/.* E //'; }
	order() { rm -f $1.done; touch $1; until [ -e $1.done ]; do sleep 0.05; done; }
	device() { socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:'echo the device' 2>/dev/null & device=$!; until grep -q ':1F90 .* 0A ' /proc/net/tcp; do sleep 0.05; done; }
	device6() { socat TCP6-LISTEN:8080,fork,reuseaddr SYSTEM:'echo the device' 2>/dev/null & device=$!; until grep -q ':1F90 .* 0A ' /proc/net/tcp6; do sleep 0.05; done; }
	A=203.0.113.100 B=203.0.113.200 SIX=[2001:db8:ffff::100]
	`

// mirror tells those who ask where it sees them, in 96 bytes. It is asked by words: "who" is answered at once, "later N" once more after N
// seconds, "keep" never, "all" over UDP from every mirror of that IP version, and "call N" over TCP says whether port N can be reached there.
type mirror struct {
	world *internet.World
	life  context.Context
	tasks sync.WaitGroup
	udp   []net.PacketConn
}

// reflect opens the mirrors of a world.
func reflect(t *testing.T, w *internet.World) {
	t.Helper()
	life, end := context.WithCancel(context.Background())
	m := &mirror{world: w, life: life}
	var opened []interface{ Close() error }
	t.Cleanup(func() {
		end()
		for _, c := range opened {
			c.Close()
		}
		m.tasks.Wait()
	})
	for i, at := range mirrors {
		if i == 0 || at.Addr() != mirrors[i-1].Addr() {
			if err := w.Serve(at.Addr()); err != nil {
				t.Fatal(err)
			}
		}
		udp, err := w.Servers.ListenPacket(at)
		if err != nil {
			t.Fatal(err)
		}
		l, err := w.Servers.Listen(at)
		if err != nil {
			t.Fatal(err)
		}
		m.udp, opened = append(m.udp, udp), append(opened, udp, l)
		m.tasks.Go(func() { m.accept(l, at) })
	}
	for i, c := range m.udp {
		m.tasks.Go(func() { m.datagrams(i, c) })
	}
}

// says is what a mirror answers.
func says(at netip.AddrPort, from net.Addr) []byte {
	f := netip.MustParseAddrPort(from.String())
	return fmt.Appendf(nil, "%-95s\n", fmt.Sprintf("%s port %d sees %s port %d", at.Addr(), at.Port(), f.Addr().Unmap(), f.Port()))
}

func (m *mirror) datagrams(i int, c net.PacketConn) {
	for b := make([]byte, 100); ; {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		word, number := words(string(b[:n]))
		for j, other := range m.udp {
			if j == i && word != "keep" || word == "all" && mirrors[i].Addr().Is4() && mirrors[j].Addr().Is4() {
				_, _ = other.WriteTo(says(mirrors[j], from), from)
			}
		}
		m.later(word, number, func() { _, _ = c.WriteTo(says(mirrors[i], from), from) })
	}
}

func (m *mirror) later(word string, seconds int, answer func()) {
	if word != "later" {
		return
	}
	m.tasks.Go(func() {
		select {
		case <-m.life.Done():
		case <-time.After(time.Duration(seconds) * time.Second):
			answer()
		}
	})
}

func (m *mirror) accept(l net.Listener, at netip.AddrPort) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		m.tasks.Go(func() {
			defer c.Close()
			defer context.AfterFunc(m.life, func() { c.Close() })()
			var answers sync.WaitGroup
			defer answers.Wait()
			for lines := bufio.NewScanner(c); lines.Scan(); {
				word, number := words(lines.Text())
				if word == "call" {
					fmt.Fprintln(c, m.call(c.RemoteAddr(), number))
					continue
				}
				_, _ = c.Write(says(at, c.RemoteAddr()))
				answers.Add(1)
				m.tasks.Go(func() {
					defer answers.Done()
					if word == "later" {
						select {
						case <-m.life.Done():
						case <-time.After(time.Duration(number) * time.Second):
							_, _ = c.Write(says(at, c.RemoteAddr()))
						}
					}
				})
			}
		})
	}
}

// call says whether a port can be reached at an address, and what is heard there.
func (m *mirror) call(at net.Addr, port int) string {
	to := netip.AddrPortFrom(netip.MustParseAddrPort(at.String()).Addr().Unmap(), uint16(port))
	ctx, cancel := context.WithTimeout(m.life, 3*time.Second)
	defer cancel()
	c, err := m.world.Servers.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return fmt.Sprintf("from outside, port %d of %s is not reached", port, to.Addr())
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return fmt.Sprintf("from outside, port %d of %s is reached: %s", port, to.Addr(), strings.TrimSpace(line))
}

func words(line string) (word string, number int) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	number, _ = strconv.Atoi(rest)
	return word, number
}

// reflected has mirrors, and does what the script orders by name.
func reflected(orders func(t *testing.T, b *testbed.Bed) map[string]func()) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		reflect(t, b.World)
		if orders != nil {
			obey(t, dir, orders(t, b))
		}
	}
}

// awaited has scripts wait, by ordering a word, until a stand-in has told of it.
func awaited(words ...string) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		orders := map[string]func(){}
		for _, w := range words {
			orders[w] = func() {
				if _, err := b.Log.Await(t.Context(), 0, func(e evidence.Event) bool { return strings.Contains(e.Text, w) }); err != nil {
					t.Errorf("await %s: %v", w, err)
				}
			}
		}
		obey(t, dir, orders)
	}
}

// obey does what a script orders, by making a file of that name in dir.
func obey(t *testing.T, dir string, orders map[string]func()) {
	life, end := context.WithCancel(context.Background())
	var task sync.WaitGroup
	task.Go(func() {
		for life.Err() == nil {
			for name, do := range orders {
				if os.Remove(filepath.Join(dir, name)) == nil {
					do()
					if err := os.WriteFile(filepath.Join(dir, name+".done"), nil, 0o600); err != nil {
						t.Error(err)
					}
				}
			}
			select {
			case <-life.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		end()
		task.Wait()
	})
}
