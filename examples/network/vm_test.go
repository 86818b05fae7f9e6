//go:build peers

package network

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/join"
)

// guest is the first process of the virtual machine.
const guest = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for round in 1 2 3 4; do for m in /lib/*.ko; do insmod $m 2>/dev/null; done; done # each needs others
echo guest: interface $(cat /sys/class/net/eth0/address)
udhcpc -f -q -n -t 5 -T 2 -i eth0 -s /bin/lease
wget -q -O - http://hello.example/ | sed 's/^/guest: /'
reboot -f
`

// lease is what udhcpc runs in it.
const lease = `#!/bin/busybox sh
case $1 in
deconfig) ip link set eth0 up ;;
bound)
	ip address add $ip/$mask dev eth0
	ip route add default via $router
	for d in $dns; do echo nameserver $d; done >/etc/resolv.conf
	echo guest: address $ip/$mask, router $router, resolvers $dns
	;;
esac
`

// TestVirtualMachine boots Debian's kernel in QEMU, with nothing accelerated. It joins over a Unix socket and gets its address by DHCP.
func TestVirtualMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kernel, initramfs := machineFiles(t, dir)
	b := open(t)
	socket := filepath.Join(dir, "vm.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer join.Machine(l, b.World.Home().Station("vm"))()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "256", "-nodefaults", "-no-reboot", "-display", "none",
		"-serial", "stdio", "-kernel", kernel, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1 tsc=reliable",
		"-netdev", "stream,id=net0,addr.type=unix,addr.path="+socket, "-device", "virtio-net-pci,netdev=net0,mac=02:00:00:00:00:42,romfile=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	said := regexp.MustCompile(`(?m)guest: [^\r\n]*`).FindAllString(string(out), -1)
	compare(t, "vm", strings.Join(said, "\n")+"\n\nseen by the stand-ins:\n"+seen(b.Log, false))
}

// machineFiles are the kernel and the root file system of the virtual machine.
func machineFiles(t *testing.T, dir string) (kernel, initramfs string) {
	t.Helper()
	kernels, err := filepath.Glob(filepath.Join(unpacked, "kernel/boot/vmlinuz-*"))
	if err != nil || len(kernels) == 0 {
		t.Fatalf("there is no kernel in %s: run scripts/peers", unpacked)
	}
	files := map[string][]byte{"init": []byte(guest), "bin/lease": []byte(lease)}
	if files["bin/busybox"], err = os.ReadFile("/bin/busybox"); err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Glob(filepath.Join(unpacked, "kernel/modules/*.ko"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if files["lib/"+filepath.Base(m)], err = os.ReadFile(m); err != nil {
			t.Fatal(err)
		}
	}
	initramfs = filepath.Join(dir, "initramfs")
	if err := os.WriteFile(initramfs, archive([]string{"bin", "lib", "etc", "proc", "sys", "dev"}, files), 0o600); err != nil {
		t.Fatal(err)
	}
	return kernels[len(kernels)-1], initramfs
}

// archive is a cpio archive in the format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst of the kernel).
func archive(folders []string, files map[string][]byte) []byte {
	var b bytes.Buffer
	pad := func() { b.Write(make([]byte, -b.Len()&3)) }
	add := func(name string, mode int, data []byte) {
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
		b.WriteString(name + "\x00")
		pad()
		b.Write(data)
		pad()
	}
	for _, name := range folders {
		add(name, 0o040755, nil)
	}
	for name, data := range files {
		add(name, 0o100755, data)
	}
	add("TRAILER!!!", 0, nil)
	return b.Bytes()
}
