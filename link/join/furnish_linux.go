package join

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// bench is where files are put together before they go to their place: a folder that every Linux has and nothing needs meanwhile.
const bench = "/sys"

// asides are where name service daemons of this machine listen, which would ask its network.
var asides = []string{"/run/nscd", "/run/systemd/resolve"}

// furnish gives the mount namespace its own /etc, /proc and /sys. Nothing of it is seen outside.
func furnish(o order) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mount namespace private: %w", err)
	}
	if err := unix.Mount("tmpfs", bench, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount a tmpfs: %w", err)
	}
	upper, work := filepath.Join(bench, "upper"), filepath.Join(bench, "work")
	for _, dir := range []string{upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	files := etc(o)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(upper, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	// A DHCP client that replaces files of /etc does so in its own copy. Kernels before 5.11 have that for root alone.
	if err := unix.Mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir="+upper+",workdir="+work); err != nil {
		if err := bind(upper, files); err != nil {
			return err
		}
	}
	if err := unix.Unmount(bench, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", bench, err)
	}
	for _, dir := range asides {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("cover %s: %w", dir, err)
		}
	}
	// In a container whose own /proc is covered in parts, the kernel refuses these; the old ones serve most programs.
	_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	_ = unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	return nil
}

// bind puts files from a folder over those of /etc.
func bind(from string, files map[string]string) error {
	for name := range files {
		target := filepath.Join("/etc", name)
		if err := unix.Mount(filepath.Join(from, name), target, "", unix.MS_BIND, ""); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("put a file over %s: it is missing\nhint: sudo touch %s", target, target)
			}
			return fmt.Errorf("put a file over %s: %w", target, err)
		}
	}
	return nil
}

// etc are the files of /etc that say how names are resolved.
func etc(o order) map[string]string {
	var hosts strings.Builder
	hosts.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	for _, name := range slices.Sorted(maps.Keys(o.Hosts)) {
		fmt.Fprintf(&hosts, "%s %s\n", o.Hosts[name], name)
	}
	given, _ := os.ReadFile("/etc/nsswitch.conf") // without one there are defaults
	return map[string]string{"resolv.conf": resolvConf(o.Resolvers), "hosts": hosts.String(), "nsswitch.conf": nsswitch(string(given))}
}

func resolvConf(resolvers []netip.Addr) string {
	var b strings.Builder
	for _, r := range resolvers {
		fmt.Fprintf(&b, "nameserver %s\n", r)
	}
	return b.String()
}

var hostsLine = regexp.MustCompile(`(?m)^[ \t]*hosts[ \t]*:.*\n?`)

// nsswitch is the nsswitch.conf of this machine, but names of hosts come from the hosts file and DNS alone: other services would ask a
// daemon of the machine.
func nsswitch(given string) string {
	return strings.TrimRight(hostsLine.ReplaceAllString(given, ""), "\n") + "\nhosts: files dns\n"
}
