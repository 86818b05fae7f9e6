package components

import "strings"

// project is how vulnerability lists call the project that a package is built from.
type project struct{ vendor, product string }

// projects are the source packages of distributions whose project has another name, or of which the vendor is known.
var projects = map[string]project{
	"busybox": {"busybox", "busybox"}, "dropbear": {"dropbear_ssh_project", "dropbear_ssh"}, "openssl": {"openssl", "openssl"},
	"openssl1.1": {"openssl", "openssl"}, "openssl1.0": {"openssl", "openssl"}, "mbedtls": {"arm", "mbed_tls"}, "wolfssl": {"wolfssl", "wolfssl"},
	"dnsmasq": {"thekelleys", "dnsmasq"}, "hostapd": {"w1.fi", "hostapd"}, "wpa": {"w1.fi", "wpa_supplicant"},
	"wpa_supplicant": {"w1.fi", "wpa_supplicant"}, "wpa-supplicant": {"w1.fi", "wpa_supplicant"}, "u-boot": {"denx", "u-boot"},
	"linux": {"linux", "linux_kernel"}, "kernel": {"linux", "linux_kernel"}, "zlib": {"zlib", "zlib"}, "curl": {"haxx", "libcurl"},
	"mosquitto": {"eclipse", "mosquitto"}, "lighttpd": {"lighttpd", "lighttpd"}, "nginx": {"f5", "nginx"}, "apache2": {"apache", "http_server"},
	"miniupnpd": {"miniupnp_project", "miniupnpd"}, "minidlna": {"readymedia_project", "minidlna"}, "pupnp": {"libupnp_project", "portable_sdk_for_upnp"},
	"libupnp": {"libupnp_project", "portable_sdk_for_upnp"}, "php": {"php", "php"}, "php5": {"php", "php"}, "php7": {"php", "php"},
	"php7.4": {"php", "php"}, "php8.2": {"php", "php"}, "php8": {"php", "php"}, "lua": {"lua", "lua"}, "lua5.1": {"lua", "lua"}, "lua5.3": {"lua", "lua"},
	"lua5.4": {"lua", "lua"}, "perl": {"perl", "perl"}, "openssh": {"openbsd", "openssh"}, "expat": {"libexpat_project", "libexpat"},
	"libpng": {"libpng", "libpng"}, "libpng1.6": {"libpng", "libpng"}, "openvpn": {"openvpn", "openvpn"}, "avahi": {"avahi", "avahi"},
	"mini-httpd": {"acme", "mini-httpd"}, "vsftpd": {"vsftpd_project", "vsftpd"}, "proftpd-dfsg": {"proftpd", "proftpd"}, "proftpd": {"proftpd", "proftpd"},
	"xl2tpd": {"xelerance", "xl2tpd"}, "libpcap": {"tcpdump", "libpcap"}, "libssh": {"libssh", "libssh"}, "libssh2": {"libssh2", "libssh2"},
	"gnutls": {"gnu", "gnutls"}, "gnutls28": {"gnu", "gnutls"}, "libgcrypt": {"gnupg", "libgcrypt"}, "libgcrypt20": {"gnupg", "libgcrypt"}, "ntp": {"ntp", "ntp"},
	"strongswan": {"strongswan", "strongswan"}, "exim4": {"exim", "exim"}, "exim": {"exim", "exim"}, "glibc": {"gnu", "glibc"},
	"ffmpeg": {"ffmpeg", "ffmpeg"}, "imagemagick": {"imagemagick", "imagemagick"}, "unbound": {"nlnetlabs", "unbound"}, "squid": {"squid-cache", "squid"},
	"cups": {"openprinting", "cups"}, "samba": {"samba", "samba"}, "netatalk": {"netatalk", "netatalk"}, "stunnel4": {"stunnel", "stunnel"},
	"tinyproxy": {"tinyproxy", "tinyproxy"}, "bash": {"gnu", "bash"}, "sudo": {"sudo_project", "sudo"}, "policykit-1": {"polkit_project", "polkit"},
	"polkit": {"polkit_project", "polkit"}, "inetutils": {"gnu", "inetutils"}, "libwebp": {"webmproject", "libwebp"}, "libvpx": {"webmproject", "libvpx"},
	"freetype": {"freetype", "freetype"}, "erlang": {"erlang", "erlang/otp"}, "python3.7": {"python", "python"}, "python3.9": {"python", "python"},
	"python3.11": {"python", "python"}, "python3.13": {"python", "python"}, "python3": {"python", "python"}, "python2.7": {"python", "python"},
	"nodejs": {"nodejs", "node.js"}, "node": {"nodejs", "node.js"}, "nostromo": {"nazgul", "nostromo_nhttpd"}, "goahead": {"embedthis", "goahead"},
	"sqlite3": {"sqlite", "sqlite"}, "libxml2": {"xmlsoft", "libxml2"}, "rsync": {"samba", "rsync"}, "systemd": {"systemd_project", "systemd"},
	"net-snmp": {"net-snmp", "net-snmp"}, "ppp": {"samba", "ppp"}, "redis": {"redis", "redis"}, "haproxy": {"haproxy", "haproxy"}, "iptables": {"netfilter", "iptables"},
	"wget": {"gnu", "wget"}, "xz-utils": {"tukaani", "xz"}, "xz": {"tukaani", "xz"}, "git": {"git-scm", "git"}, "bluez": {"bluez", "bluez"},
}

// notPrograms are endings of the names of packages that hold no program of their project.
var notPrograms = []string{"-doc", "-dev", "-dbg", "-dbgsym", "-common", "-headers", "-data", "-locales", "-libc-dev", "-kbuild", "-config-common"}

// identify fills in the project of a package by its source package, or by its own name where the database does not tell that.
func (c *Component) identify() {
	for _, end := range notPrograms {
		if strings.HasSuffix(c.Name, end) {
			return
		}
	}
	if strings.HasPrefix(c.Name, "kmod-") || strings.HasPrefix(c.Name, "linux-headers") || strings.HasPrefix(c.Name, "linux-libc") {
		return
	}
	origin := strings.ToLower(c.Origin)
	if origin == "" {
		origin = strings.ToLower(c.Name)
	}
	p, ok := projects[origin]
	if !ok && c.Origin == "" {
		p, ok = projects[withoutTail(origin)]
	}
	if ok {
		c.Vendor, c.Product = p.vendor, p.product
		if p.product == "linux_kernel" {
			c.Type = 'o'
		}
		if origin == "wpa" && strings.HasPrefix(c.Name, "hostapd") {
			c.Product = "hostapd"
		}
		return
	}
	c.Product = origin
}

// withoutTail takes off a name what says which part of the project a package holds: libopenssl1.1 is of openssl.
func withoutTail(name string) string {
	for _, family := range []string{"libopenssl", "openssl-", "libmbedtls", "libmbedcrypto", "libwolfssl", "libcurl", "dnsmasq-", "hostapd-", "wpad-", "wpad", "php7-", "php8-", "libexpat", "libpng", "python3-base", "python3-light", "dropbear-", "openssh-", "nginx-", "lighttpd-", "samba4-", "samba-"} {
		if strings.HasPrefix(name, family) {
			switch {
			case strings.Contains(family, "openssl"):
				return "openssl"
			case strings.Contains(family, "mbed"):
				return "mbedtls"
			case strings.HasPrefix(family, "wpad"):
				return "hostapd"
			case family == "libexpat":
				return "expat"
			case family == "samba4-", family == "samba-":
				return "samba"
			case strings.HasPrefix(family, "python3"):
				return "python3"
			case family == "lighttpd-":
				return name // a module
			}
			return strings.TrimSuffix(strings.TrimPrefix(family, "lib"), "-")
		}
	}
	return name
}
