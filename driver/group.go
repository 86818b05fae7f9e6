//go:build unix

package driver

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	stopGrace  = 5 * time.Second       // wall time from SIGTERM to SIGKILL
	killLimit  = 10 * time.Second      // wall time in which the kernel must have ended what was killed
	groupPause = 10 * time.Millisecond // between two looks at whether a group is empty
	zombieWait = 100                   // looks after SIGKILL; a group of zombies that nobody reaps stays for ever and holds nothing
)

// group is a program that runs in a process group of its own. It ends as a whole: when the program itself ends, what it started
// and left behind is ended too. Only a process that moved itself into another group gets away.
type group struct {
	pid  int           // of the program, and of the group
	done chan struct{} // closed when the group is empty and drained was called

	mu      sync.Mutex
	asked   bool // a signal was sent to it
	orderly bool // it was SIGTERM, so its children may take their time as well
	killed  bool
	gone    bool // seen empty: its number may belong to a stranger from now on
}

// startGroup starts cmd. When the group is empty, drained is called to take in the last of what it printed; then the group counts as
// ended, and exited is told the program's exit status, unless the group was made to end.
func startGroup(cmd *exec.Cmd, drained func(), exited func(status string)) (*group, error) {
	cmd.SysProcAttr = groupAttr(cmd.SysProcAttr)
	g := &group{done: make(chan struct{})}
	started := make(chan error, 1)
	go g.live(cmd, started, drained, exited)
	if err := <-started; err != nil {
		return nil, err
	}
	return g, nil
}

// live starts the program and waits for it on one thread of its own: the kernel's parent-death signal is bound to the thread that
// started the child, not to the process.
func (g *group) live(cmd *exec.Cmd, started chan<- error, drained func(), exited func(string)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	if err != nil {
		started <- err
		return
	}
	g.pid = cmd.Process.Pid
	started <- nil
	err = cmd.Wait()
	status := cmd.ProcessState.String()
	if cmd.ProcessState == nil {
		status = err.Error()
	}

	g.mu.Lock()
	asked, orderly := g.asked, g.orderly
	g.mu.Unlock()
	if !orderly {
		g.send(syscall.SIGKILL)
	}
	g.awaitEmpty()
	drained()
	close(g.done) // before exited, so that whoever is woken by an exit can start the part again
	if !asked {
		exited(status)
	}
}

// awaitEmpty waits until no process is left in the group. The group's number cannot be given to another while it has a member, and
// numbers do not come round within one pause, so that looking at it is safe until it was seen empty.
func (g *group) awaitEmpty() {
	tick := time.NewTicker(groupPause)
	defer tick.Stop()
	for looks := 0; looks < zombieWait; <-tick.C {
		g.mu.Lock()
		g.gone = groupEmpty(g.pid)
		gone, killed := g.gone, g.killed
		g.mu.Unlock()
		if gone {
			return
		}
		if killed {
			looks++
		}
	}
	g.mu.Lock()
	g.gone = true
	g.mu.Unlock()
}

// send passes sig to every member of the group, if there is one left.
func (g *group) send(sig syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return
	}
	g.asked = true
	g.orderly = sig == syscall.SIGTERM
	g.killed = g.killed || sig == syscall.SIGKILL
	_ = syscall.Kill(-g.pid, sig) // the one error there can be: it has just ended
}

// alive tells whether the group has not ended yet.
func (g *group) alive() bool {
	select {
	case <-g.done:
		return false
	default:
		return true
	}
}

// stop asks the group to end and kills it when it has not done so within stopGrace or ctx; it tells whether that was needed.
func (g *group) stop(ctx context.Context) (killed bool, err error) {
	g.send(syscall.SIGTERM)
	if g.await(ctx, stopGrace) {
		return false, nil
	}
	return true, g.kill()
}

// kill ends the group at once and waits until it is gone.
func (g *group) kill() error {
	g.send(syscall.SIGKILL)
	if !g.await(context.Background(), killLimit) {
		return fmt.Errorf("kill process group %d: still there %v after SIGKILL", g.pid, killLimit)
	}
	return nil
}

// await waits for the group's end for at most d of wall time, or until ctx is done.
func (g *group) await(ctx context.Context, d time.Duration) bool {
	limit := time.NewTimer(d)
	defer limit.Stop()
	select {
	case <-g.done:
		return true
	case <-limit.C:
	case <-ctx.Done():
	}
	return !g.alive()
}
