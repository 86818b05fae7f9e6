package join

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is the file number at which the first process finds its end of the socket.
const socket = 3

// failed is the exit code of a first process that could not do its work.
const failed = 125

// init is where this executable begins when it is the first process of a program's namespaces, and where it ends then.
func init() {
	if len(os.Args) < 2 || os.Args[0] != marker {
		return
	}
	runtime.LockOSThread() // the parent-death signal of what is started belongs to this thread
	file := os.NewFile(socket, "join")
	conn, err := net.FileConn(file)
	file.Close()
	parent, ok := conn.(*net.UnixConn)
	if err != nil || !ok {
		os.Exit(failed) // nobody is there to be told
	}
	f := &first{parent: parent}
	code, err := f.live(os.Args[1], os.Args[2:])
	if err != nil {
		f.tell(notice{Error: err.Error()})
		_, _ = parent.Read(make([]byte, 1)) // until we are killed, or they are gone
		code = failed
	}
	os.Exit(code)
}

// first is the first process of a program's namespaces.
type first struct {
	parent *net.UnixConn
	now    order // how the interface is set up
}

// tell sends a notice. When it cannot be told, they are gone, and so will we be.
func (f *first) tell(n notice) {
	text, err := json.Marshal(n)
	if err == nil {
		_, _ = f.parent.Write(text)
	}
}

// live sets the namespaces up, runs the program and gives its exit code. Without a path there is no program: it was only to be seen
// whether it could be done.
func (f *first) live(path string, args []string) (code int, err error) {
	text := make([]byte, largest)
	n, err := f.parent.Read(text)
	if err != nil {
		return 0, err
	}
	var o order
	if err := json.Unmarshal(text[:n], &o); err != nil {
		return 0, fmt.Errorf("set up the program's namespaces: %w", err)
	}
	if err := furnish(o); err != nil {
		return 0, err
	}
	tap, err := openTAP()
	if err != nil {
		return 0, err
	}
	if err := configure(o); err != nil {
		return 0, err
	}
	f.now = o
	space, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open the network namespace: %w", err)
	}
	ready, err := json.Marshal(notice{Ready: true})
	if err != nil {
		return 0, err
	}
	if _, _, err := f.parent.WriteMsgUnix(ready, unix.UnixRights(tap, space), nil); err != nil {
		return 0, fmt.Errorf("hand over the interface: %w", err)
	}
	unix.Close(tap) // theirs alone now, so that it is gone with them
	unix.Close(space)
	if _, err := f.parent.Read(text); err != nil {
		return 0, err
	}
	if path == "" {
		f.tell(notice{Started: true})
		return 0, nil
	}
	return f.run(&exec.Cmd{Path: path, Args: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
}

// run starts the program and stays until its end. Signals that are meant for all of its process group come here too, and are the
// program's business; after SIGTERM what it left behind may take its time.
func (f *first) run(cmd *exec.Cmd) (code int, err error) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	f.tell(notice{Started: true})
	go f.obey(cmd.Process.Pid)
	status, err := reap(cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	f.tell(notice{Status: words(status)})
	if patient(signals) {
		finish()
	}
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// obey passes signals, which are messages of one byte, on to the program, carries other orders out, and ends everything when our side of
// the socket closes.
func (f *first) obey(pid int) {
	for message := make([]byte, largest); ; {
		n, err := f.parent.Read(message)
		if n == 0 || err != nil {
			os.Exit(failed)
		}
		if n > 1 {
			f.tell(f.readdress(message[:n]))
			continue
		}
		_ = syscall.Kill(pid, syscall.Signal(message[0]))
	}
}

// reap waits for the child with that pid, and takes in the end of all others meanwhile.
func reap(pid int) (status syscall.WaitStatus, err error) {
	for {
		switch got, err := syscall.Wait4(-1, &status, 0, nil); {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return status, fmt.Errorf("wait for the program: %w", err)
		case got == pid:
			return status, nil
		}
	}
}

// ours is the pid that means, to wait4, every child in our process group. What the program leaves behind becomes our child.
const ours = 0

// patient says whether the program left something behind in its process group that may take its time, as after SIGTERM. That may still
// be on its way to us.
func patient(signals <-chan os.Signal) bool {
	if _, err := syscall.Wait4(ours, nil, syscall.WNOHANG, nil); err != nil {
		return false
	}
	limit := time.After(50 * time.Millisecond)
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGTERM {
				return true
			}
		case <-limit:
			return false
		}
	}
}

// finish waits until nothing is left in our process group.
func finish() {
	for {
		if _, err := syscall.Wait4(ours, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// words says how a process ended as os.ProcessState does.
func words(s syscall.WaitStatus) string {
	switch {
	case s.Signaled() && s.CoreDump():
		return "signal: " + s.Signal().String() + " (core dumped)"
	case s.Signaled():
		return "signal: " + s.Signal().String()
	}
	return fmt.Sprintf("exit status %d", s.ExitStatus())
}
