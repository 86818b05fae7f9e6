//go:build peers

package firmware

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/hardening"
	"github.com/shakedown-test/shakedown/firmware/elf"
	"github.com/shakedown-test/shakedown/product"
)

// Of every program and library of this machine, what is told of its hardening equals what readelf shows.
func TestHardeningEqualsReadelf(t *testing.T) {
	var files []string
	for _, pattern := range []string{"/usr/bin/*", "/usr/sbin/*", "/usr/lib/*-linux-gnu*/*.so*", unpacked + "/usr/sbin/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	looked := 0
	for _, name := range files {
		info, err := os.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() > 64<<20 {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil || !bytes.HasPrefix(data, []byte("\x7fELF")) {
			continue
		}
		f, err := elf.Parse(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, ok := hardening.Of(f)
		if !ok {
			t.Errorf("%s is taken for no program of Linux", name)
			continue
		}
		looked++
		if diff := cmp.Diff(byReadelf(tool(t, "readelf", "-W", "-h", "-l", "-d", "-S", "--dyn-syms", name)), byUs(f, b)); diff != "" {
			t.Errorf("%s (-readelf +ours):\n%s", name, diff)
		}
	}
	if looked < 100 {
		t.Errorf("only %d programs were looked at", looked)
	}
}

// byUs are the facts that both tell, as text.
func byUs(f *elf.File, b hardening.Binary) map[string]string {
	return map[string]string{
		"type": map[elf.Type]string{elf.Executable: "EXEC", elf.Shared: "DYN"}[f.Type], "stack": string(b.Stack), "relro": fmt.Sprint(b.RELRO), "now": fmt.Sprint(b.Now),
		"needed": strings.Join(b.Linked.Needed, " "), "rpath": b.Linked.RPath, "runpath": b.Linked.RunPath, "interpreter": b.Interpreter,
		"imports": strings.Join(b.Linked.Imports, " "), "symbols": fmt.Sprint(b.Symbols), "end": fmt.Sprint(f.Size > 0),
	}
}

var (
	readelfType   = regexp.MustCompile(`(?m)^  Type: +(\w+)`)
	readelfStack  = regexp.MustCompile(`(?m)^  GNU_STACK +(?:0x\w+ +){5}([RWE ]{3})`)
	readelfTag    = regexp.MustCompile(`(?m)\((NEEDED|RPATH|RUNPATH)\)[^\[\n]*\[(.*)\]`)
	readelfNow    = regexp.MustCompile(`(?m)\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b`)
	readelfInterp = regexp.MustCompile(`program interpreter: (\S+)\]`)
	readelfImport = regexp.MustCompile(`(?m)^ +\d+: .* UND ([^\s@]+)`)
)

func byReadelf(out []byte) map[string]string {
	text := string(out)
	one := func(r *regexp.Regexp) string {
		if m := r.FindStringSubmatch(text); m != nil {
			return m[1]
		}
		return ""
	}
	stack := hardening.StackUnmarked
	if m := readelfStack.FindStringSubmatch(text); m != nil {
		stack = hardening.StackPlain
		if strings.Contains(m[1], "E") {
			stack = hardening.StackExecutable
		}
	}
	tags := map[string][]string{}
	for _, m := range readelfTag.FindAllStringSubmatch(text, -1) {
		tags[m[1]] = append(tags[m[1]], m[2])
	}
	var imports []string
	for _, m := range readelfImport.FindAllStringSubmatch(text, -1) {
		imports = append(imports, m[1])
	}
	slices.Sort(imports)
	return map[string]string{
		"type": one(readelfType), "stack": string(stack), "relro": fmt.Sprint(strings.Contains(text, "\n  GNU_RELRO ")), "now": fmt.Sprint(readelfNow.MatchString(text)),
		"needed": strings.Join(tags["NEEDED"], " "), "rpath": strings.Join(tags["RPATH"], ""), "runpath": strings.Join(tags["RUNPATH"], ""), "interpreter": one(readelfInterp),
		"imports": strings.Join(slices.Compact(imports), " "), "symbols": fmt.Sprint(strings.Contains(text, "] .symtab ")), "end": "true",
	}
}

const unpacked = "../../.peers/services/root"

// A root file system of Debian's daemons with their own init scripts: what is enabled in it is started, and the rest is not.
func TestStartedDaemons(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	if err := os.CopyFS(root, os.DirFS(unpacked)); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"bin/sh": "busybox", "etc/rc2.d/S01ssh": "../init.d/ssh", "etc/rc2.d/S02openbsd-inetd": "../init.d/openbsd-inetd",
		"etc/systemd/system/multi-user.target.wants/vsftpd.service": "/lib/systemd/system/vsftpd.service",
		"usr/sbin/crond": "/bin/busybox", "etc/rc2.d/K01hostapd": "../init.d/hostapd",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"etc/inetd.conf":            "telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/telnetd\n#ftp stream tcp nowait root /usr/sbin/vsftpd vsftpd\n",
		"etc/inittab":               "::sysinit:/etc/init.d/rcS\n::askfirst:-/bin/sh\n#::respawn:/usr/sbin/dropbear -F\n",
		"etc/init.d/rcS":            "#!/bin/sh\nif [ -f /mnt/sd/debug ]; then\n\tbusybox nc -ll -p 4444 -e /bin/sh &\nfi\n",
		"var/spool/cron/crontabs/x": "# 0 * * * * vsftpd\n0 4 * * * /usr/sbin/crond -f\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(t.TempDir(), "root.cpio")
	tool(t, "sh", "-c", "cd "+root+" && find . | busybox cpio -o -H newc > "+archive)
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	f, err := artefact.Examine(context.Background(), artefact.Source{Role: product.Firmware, File: "root.cpio", Data: io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := map[string]string{}
	for _, s := range f.Starts {
		got[s.Name()] = s.Node.Name + map[bool]string{true: " on a condition"}[s.When != ""]
	}
	for name, want := range map[string]string{
		"sshd": "etc/init.d/ssh", "inetd": "etc/init.d/openbsd-inetd", "telnetd": "etc/inetd.conf", "vsftpd": "lib/systemd/system/vsftpd.service",
		"crond": "var/spool/cron/crontabs/x", "sh": "etc/inittab", "nc": "etc/init.d/rcS on a condition", "hostapd": "", "dropbear": "",
	} {
		if got[name] != want {
			t.Errorf("%s is started in %q, want %q", name, got[name], want)
		}
	}
	var listeners []string
	for _, b := range artefact.Listeners(f.Binaries) {
		listeners = append(listeners, b.Node.Name)
	}
	for _, want := range []string{"usr/sbin/sshd", "usr/sbin/vsftpd", "usr/sbin/dropbear", "usr/sbin/hostapd"} {
		if !slices.Contains(listeners, want) {
			t.Errorf("%s is not among those that take connections: %v", want, listeners)
		}
	}
}
