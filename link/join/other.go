//go:build !linux

package join

import (
	"errors"
	"os/exec"
	"syscall"

	"github.com/shakedown-test/shakedown/link/frame"
)

// errLinux says what is missing here.
var errLinux = errors.New("programs cannot be given a network of their own here: that needs the namespaces of Linux\nhint: run it on Linux, or in a virtual machine with Linux")

// Program is a command that was prepared to run in namespaces of its own. There is none here but nil, whose methods do nothing.
type Program struct{}

// Available says why programs cannot run in namespaces of their own on this machine, with the remedy; nil: they can.
func Available() error { return errLinux }

// Prepare fails: there are no network namespaces here.
func (p Place) Prepare(*exec.Cmd) (*Program, error) { return nil, errLinux }

// Enter does nothing.
func (p *Program) Enter() error { return nil }

// Readdress fails: there is no program.
func (p *Program) Readdress(Place) error { return errLinux }

// Signal does nothing.
func (p *Program) Signal(syscall.Signal) {}

// Leave does nothing.
func (p *Program) Leave() {}

// Status is empty.
func (p *Program) Status() string { return "" }

// Close does nothing.
func (p *Program) Close() {}

// Interface fails: it needs the raw sockets of Linux.
func Interface(string, *frame.Link) (leave func(), err error) {
	return nil, errors.New("join interface: that needs the raw sockets of Linux\nhint: run it on Linux")
}
