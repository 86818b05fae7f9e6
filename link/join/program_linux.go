package join

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/shakedown-test/shakedown/link/frame"
)

// marker is the first argument of this executable when it is to be the first process of a program's namespaces.
const marker = "shakedown-join"

// spaces are the namespaces of a program.
const spaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID

// largest is the size of the largest message between us and the first process.
const largest = 128 << 10

// order is what the first process is told at the beginning.
type order struct {
	MAC       []byte                `json:"mac,omitempty"`
	Addresses []netip.Prefix        `json:"addresses,omitempty"`
	Routers   []netip.Addr          `json:"routers,omitempty"`
	Resolvers []netip.Addr          `json:"resolvers,omitempty"`
	Hosts     map[string]netip.Addr `json:"hosts,omitempty"`
}

// notice is what the first process tells. The one that is Ready comes with the TAP and the network namespace.
type notice struct {
	Ready   bool   `json:"ready,omitempty"`
	Started bool   `json:"started,omitempty"` // the program runs
	Error   string `json:"error,omitempty"`   // why it does not; the first process then waits for its end
	Status  string `json:"status,omitempty"`  // how it ended
}

// Program is a command that was prepared to run in namespaces of its own. A nil Program is one that was not: its methods do nothing.
type Program struct {
	link *frame.Link
	peer *os.File // the first process's end of the socket, until it was started
	conn *net.UnixConn

	mu     sync.Mutex
	stop   func(drain bool) // of the pump; nil: it does not run
	space  *os.File         // the network namespace: what it had sent when the program ended still goes out, until Close
	closed bool

	reading sync.Mutex // held by who waits for a notice after Enter
	said    string     // how the program ended, when that was read already
}

// Prepare changes cmd, which must not have been started, so that it will run in the place. Its standard streams, folder and environment
// stay as they are; of its SysProcAttr all but the namespaces and their id mappings stays. Close what it returns also when cmd is never
// started.
func (p Place) Prepare(cmd *exec.Cmd) (*Program, error) {
	if cmd.Err != nil {
		return nil, cmd.Err
	}
	if len(cmd.ExtraFiles) > 0 {
		return nil, errors.New("prepare a program for its namespaces: it is given extra files\nhint: give it none")
	}
	o, err := json.Marshal(order{MAC: p.MAC, Addresses: p.Addresses, Routers: p.Routers, Resolvers: p.Resolvers, Hosts: p.Hosts})
	if err != nil || len(o) > largest {
		return nil, fmt.Errorf("prepare a program for its namespaces: %d bytes of settings: %w", len(o), err)
	}
	conn, peer, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("prepare a program for its namespaces: %w", err)
	}
	if _, err := conn.Write(o); err != nil {
		conn.Close()
		peer.Close()
		return nil, fmt.Errorf("prepare a program for its namespaces: %w", err)
	}
	cmd.Args = append([]string{marker, cmd.Path}, cmd.Args...)
	cmd.Path = "/proc/self/exe"
	cmd.ExtraFiles = []*os.File{peer}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	a := cmd.SysProcAttr
	a.Cloneflags |= spaces
	a.UidMappings, a.GidMappings, a.GidMappingsEnableSetgroups = mappings()
	return &Program{link: p.Link, conn: conn, peer: peer}, nil
}

// socketPair makes a connection that keeps messages apart, with one end for another process.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, peer := os.NewFile(uintptr(fds[0]), "join"), os.NewFile(uintptr(fds[1]), "join")
	defer ours.Close() // FileConn makes a copy
	conn, err := net.FileConn(ours)
	if err != nil {
		peer.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), peer, nil
}

// Enter waits, after cmd was started, until its namespaces are set up, joins them to the link, and has the program begin. When it
// fails, the process must be killed: it waits for that.
func (p *Program) Enter() error {
	if p == nil {
		return nil
	}
	p.peer.Close()
	files, err := p.await()
	if err != nil {
		return err
	}
	if len(files) != 2 {
		closeAll(files)
		return errors.New("enter the program's namespaces: no interface came from there")
	}
	if err := p.join(files[0], files[1]); err != nil {
		return fmt.Errorf("enter the program's namespaces: %w", err)
	}
	if _, err := p.conn.Write([]byte("go")); err != nil {
		return fmt.Errorf("enter the program's namespaces: %w", err)
	}
	_, err = p.await()
	return err
}

// join starts the pump, and keeps the namespace.
func (p *Program) join(tap, space *os.File) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		closeAll([]*os.File{tap, space})
		return net.ErrClosed
	}
	var err error
	p.space = space
	p.stop, err = pumpTAP(tap, p.link)
	return err
}

// await takes the next notice, and the files that come with it.
func (p *Program) await() ([]*os.File, error) {
	n, files, err := receive(p.conn)
	if err == nil && n.Error != "" {
		err = errors.New(n.Error)
	} else if err != nil {
		err = fmt.Errorf("set up the program's namespaces: their first process ended: %w", err)
	}
	if err != nil {
		closeAll(files)
		return nil, err
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// receive reads a notice.
func receive(conn *net.UnixConn) (n notice, files []*os.File, err error) {
	text, extra := make([]byte, largest), make([]byte, unix.CmsgSpace(2*4))
	size, extraSize, _, _, err := conn.ReadMsgUnix(text, extra)
	if err != nil {
		return n, nil, err
	}
	if messages, err := unix.ParseSocketControlMessage(extra[:extraSize]); err == nil && len(messages) == 1 {
		fds, _ := unix.ParseUnixRights(&messages[0])
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "of the namespaces"))
		}
	}
	return n, files, json.Unmarshal(text[:size], &n)
}

// Signal sends a signal to the program.
func (p *Program) Signal(s syscall.Signal) {
	if p != nil {
		_, _ = p.conn.Write([]byte{byte(s)}) // it fails when there is no program any more
	}
}

// Leave takes the program off the network, as when its power goes: nothing that it or its kernel still sends is heard.
func (p *Program) Leave() {
	if p == nil {
		return
	}
	p.leave(false)
}

func (p *Program) leave(drain bool) {
	p.mu.Lock()
	stop := p.stop
	p.stop = nil
	p.mu.Unlock()
	if stop != nil {
		stop(drain)
	}
}

// Status says, after the process has ended, how the program did, in the words of os.ProcessState; empty when it was killed with its
// namespaces.
func (p *Program) Status() string {
	if p == nil {
		return ""
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	for p.said == "" {
		n, files, err := receive(p.conn)
		closeAll(files)
		if err != nil {
			break
		}
		p.said = n.Status
	}
	return p.said
}

// Close takes the program off the network, once what it has sent is on the link, and frees what it held. The process ends too, if it
// still runs.
func (p *Program) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	space := p.space
	p.space = nil
	p.mu.Unlock()
	p.leave(true)
	if space != nil {
		space.Close()
	}
	p.peer.Close()
	p.conn.Close()
}
