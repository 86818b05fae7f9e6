package join

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Available says why programs cannot run in namespaces of their own on this machine, with the remedy; nil: they can. It tries once.
var Available = sync.OnceValue(func() error {
	err := try()
	if err == nil {
		return nil
	}
	return fmt.Errorf("programs cannot be given a network of their own here: %w\nhint: %s", err, remedy(err))
})

// try sets namespaces up and leaves them again.
func try() error {
	l := frame.New(frame.Options{Name: "trial", Clock: clock.New(1)})
	defer l.Close()
	cmd := &exec.Cmd{} // without a program
	p, err := Place{Link: l}.Prepare(cmd)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("make namespaces: %w", err)
	}
	err = p.Enter()
	p.Close()
	_ = cmd.Wait()
	return err
}

// remedy is what to do about an error of try.
func remedy(err error) string {
	is := func(name string) bool {
		value, _ := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
		return strings.TrimSpace(string(value)) == map[string]string{
			"user.max_user_namespaces": "0", "kernel.unprivileged_userns_clone": "0", "kernel.apparmor_restrict_unprivileged_userns": "1",
		}[name]
	}
	switch {
	case !present("/dev/net/tun"):
		return "load the module: sudo modprobe tun; a container needs --device /dev/net/tun"
	case strings.HasSuffix(err.Error(), unix.EACCES.Error()): // the first process tells its errors in words
		return "let everybody open /dev/net/tun, as is usual (it gives no right by itself): sudo chmod 666 /dev/net/tun"
	case is("user.max_user_namespaces"):
		return "allow user namespaces: sudo sysctl -w user.max_user_namespaces=15000"
	case is("kernel.unprivileged_userns_clone"):
		return "allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1; or run as root"
	case is("kernel.apparmor_restrict_unprivileged_userns"):
		return "allow user namespaces: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; or run as root"
	case errors.Is(err, unix.EPERM):
		return "in a container, let it make namespaces: --privileged, or --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined --device /dev/net/tun"
	}
	return "it needs Linux 5.0 or newer with user, network and process namespaces, and TAP"
}
