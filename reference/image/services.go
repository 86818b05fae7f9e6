package image

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// services puts what the thermostat starts, and the settings of that, into a root file system; with it what is off, and must not be
// mistaken for what is on.
func services(r root) {
	r.file("etc/inittab", "::sysinit:/etc/init.d/rcS\nttyS0::respawn:/sbin/getty -L ttyS0 115200\n#ttyS0::askfirst:-/bin/sh\n::shutdown:/bin/umount -a -r\n")
	r.script("etc/init.d/rcS", "mount -t proc proc /proc\nmount -t sysfs sysfs /sys\nifup eth0\nfor i in /etc/init.d/S??*; do\n\t[ -x \"$i\" ] && \"$i\" start\ndone\n")
	r.daemon("S50thermostat", "-c thermostat -b -x /"+daemon)
	r.daemon("S40dropbear", "-x /usr/sbin/dropbear -- -s -R")
	server := application()
	server.Needed, server.RunPath = []string{"libc.so.6"}, ""
	server.Imports = append(server.Imports, "setresuid")
	r.program("usr/sbin/dropbear", server)
	r.applet("usr/sbin/telnetd")
	r.daemon("telnet", "-x /usr/sbin/telnetd") // nothing starts it
	r.file("usr/share/doc/console.txt", "To debug, start telnetd -l /bin/sh, or nc -l -p 4444 -e /bin/sh.\n")
	r.file("etc/hostapd.conf", "interface=wlan0\nssid=thermostat\nwpa=2\nwpa_key_mgmt=WPA-PSK\nwpa_psk_file=/var/lib/hostapd/psk\n")
	r.file("etc/config/upnpd", "config upnpd 'config'\n\toption enabled '1'\n\toption secure_mode '1'\n\nconfig perm_rule\n\toption action 'allow'\n\toption ext_ports '1024-65535'\n\toption int_addr '0.0.0.0/0'\n")
	r.script("www/cgi-bin/ping", "HOST=$(echo \"$QUERY_STRING\" | tr -cd 0-9.)\neval \"ping -c 1 $HOST\"\n")
	r.file("system/build.prop", "ro.build.type=user\nro.debuggable=0\nro.secure=1\nro.build.tags=release-keys\n")
	r.file("boot/config-6.12.40", kernelConfig)
	r.environment("bootdelay=-2", "bootargs=console=ttyS0,115200 root=/dev/ram0", "bootcmd=bootm 0x80000000")
}

const kernelConfig = "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/arm 6.12.40 Kernel Configuration\n#\n" +
	"CONFIG_DEVMEM=y\nCONFIG_STRICT_DEVMEM=y\nCONFIG_STRICT_KERNEL_RWX=y\nCONFIG_STACKPROTECTOR=y\n# CONFIG_KGDB is not set\n"

// daemon is a script of init for start-stop-daemon.
func (r root) daemon(name, options string) {
	r.script("etc/init.d/"+name, "case \"$1\" in\nstart)\n\tstart-stop-daemon -S "+options+"\n\t;;\nstop)\n\tstart-stop-daemon -K "+options+"\n\t;;\nesac\n")
}

// environment is one of U-Boot, as a file on the boot partition.
func (r root) environment(variables ...string) {
	b := make([]byte, 4096)
	copy(b[4:], strings.Join(append([]string{"baudrate=115200"}, variables...), "\x00"))
	binary.LittleEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	r.file("boot/uboot.env", string(b))
}
