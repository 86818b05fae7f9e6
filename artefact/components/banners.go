package components

// banners are the version strings of software that devices are made of. The texts are those that the programs themselves were seen to hold:
// the strings of Debian's builds, or the sources that print them.
var banners = []banner{
	{
		product: "busybox", vendor: "busybox", anchor: "BusyBox v",
		pattern: `BusyBox v(\d+\.\d+(?:\.\d+)?)[ \-(\x00]`,
		good:    "BusyBox v1.36.1 (2024-01-01 00:00:00 UTC) multi-call binary.|1.36.1", bad: "BusyBox v%s multi-call",
	},
	{
		product: "dropbear_ssh", vendor: "dropbear_ssh_project", anchor: "SSH-2.0-dropbear_",
		pattern: `SSH-2\.0-dropbear_(\d{4}\.\d+|0\.\d\d)[\x00\r\n \-]`,
		good:    "SSH-2.0-dropbear_2022.83|2022.83", bad: "SSH-2.0-dropbear_0.44*,",
	},
	{
		product: "openssl", vendor: "openssl", anchor: "OpenSSL ",
		pattern: `OpenSSL (\d\.\d+\.\d+[a-z]{0,2})(?:-fips)? +\d{1,2} [A-Z][a-z]{2} \d{4}\x00`, also: "OPENSSLDIR: ",
		good: "OpenSSL 1.1.1k  25 Mar 2021|1.1.1k", bad: "OpenSSL 1.1.1 or newer",
	},
	{
		product: "openssl", vendor: "openssl", anchor: " part of OpenSSL ",
		pattern: ` part of OpenSSL (\d\.\d\.\d[a-z]{0,2}) \d`,
		good:    "RSA part of OpenSSL 1.0.2k 26 Jan 2017|1.0.2k", bad: " part of OpenSSL %s",
	},
	{
		product: "mbed_tls", vendor: "arm", anchor: "bed TLS ",
		pattern: `bed TLS (\d+\.\d+\.\d+)\x00`,
		good:    "mbed TLS 2.28.3|2.28.3", bad: "Mbed TLS 3.6 or newer",
	},
	{
		product: "mbed_tls", vendor: "arm", anchor: "PolarSSL ",
		pattern: `PolarSSL (\d+\.\d+\.\d+)\x00`,
		good:    "PolarSSL 1.3.9|1.3.9", bad: "PolarSSL test",
	},
	{
		product: "wolfssl", vendor: "wolfssl", anchor: "wolfSSL ",
		pattern: `wolfSSL v?(\d+\.\d+\.\d+)[\x00 \n]`,
		good:    "wolfSSL 5.5.4|5.5.4", bad: "wolfSSL error",
	},
	{
		product: "lwip", vendor: "lwip_project", anchor: "lwIP/",
		pattern: `lwIP/(\d+\.\d+\.\d+)[\x00 d(]`,
		good:    "lwIP/2.1.2 (http://savannah.nongnu.org/projects/lwip)|2.1.2", bad: "lwIP/%s",
	},
	{
		product: "dnsmasq", vendor: "thekelleys", anchor: "dnsmasq-",
		pattern: `dnsmasq-(\d+\.\d+)(?:rc\d+|test\d+)?\x00`,
		good:    "dnsmasq-2.90|2.90", bad: "dnsmasq-dhcp",
	},
	{
		product: "hostapd", vendor: "w1.fi", anchor: "hostapd v",
		pattern: `hostapd v(\d+\.\d+)[\x00\n \-]`,
		good:    "hostapd v2.10|2.10", bad: "hostapd v%s",
	},
	{
		product: "wpa_supplicant", vendor: "w1.fi", anchor: "wpa_supplicant v",
		pattern: `wpa_supplicant v(\d+\.\d+)[\x00\n \-]`,
		good:    "wpa_supplicant v2.10|2.10", bad: "wpa_supplicant v%s",
	},
	{
		product: "u-boot", vendor: "denx", anchor: "U-Boot ",
		pattern: `U-Boot (?:SPL |TPL )?(\d{4}\.\d\d(?:-rc\d)?|1\.[123]\.\d)[^ \x00]* \(`,
		good:    "U-Boot 2023.01+dfsg-2 (Jan 09 2023 - 12:00:00 +0000)|2023.01", bad: "U-Boot script",
	},
	{
		product: "linux_kernel", vendor: "linux", anchor: "Linux version ",
		pattern: `Linux version (\d+\.\d+(?:\.\d+)?[^ \x00]{0,60}) \([^\x00\n]*`,
		good:    "Linux version 5.4.0 (gcc)|5.4.0", bad: "Linux version %s (%s)",
	},
	{
		product: "zlib", vendor: "zlib", anchor: " deflate ",
		pattern: ` deflate (\d\.\d(?:\.\d+){0,2}) Copyright`,
		good:    " deflate 1.2.13 Copyright 1995-2022 Jean-loup Gailly and Mark Adler |1.2.13", bad: " deflate error",
	},
	{
		product: "zlib", vendor: "zlib", anchor: " inflate ",
		pattern: ` inflate (\d\.\d(?:\.\d+){0,2}) Copyright`,
		good:    " inflate 1.2.11 Copyright 1995-2017 Mark Adler |1.2.11", bad: " inflate failed",
	},
	{
		product: "libcurl", vendor: "haxx", anchor: "libcurl/",
		pattern: `libcurl/(\d+\.\d+\.\d+)[\x00 \-]`,
		good:    "libcurl/7.88.1|7.88.1", bad: "libcurl/%s",
	},
	{
		product: "mosquitto", vendor: "eclipse", anchor: "mosquitto version ",
		pattern: `mosquitto version (\d+\.\d+\.\d+)[\x00 \n]`,
		good:    "mosquitto version 2.0.11|2.0.11", bad: "mosquitto version %s",
	},
	{
		product: "lighttpd", vendor: "lighttpd", anchor: "lighttpd/",
		pattern: `lighttpd/(\d+\.\d+\.\d+)[\x00 \r\n(]`,
		good:    "lighttpd/1.4.69|1.4.69", bad: "lighttpd/%s",
	},
	{
		product: "nginx", vendor: "f5", anchor: "nginx/",
		pattern: `nginx/(\d+\.\d+\.\d+)[\x00 \r\n(]`,
		good:    "nginx/1.22.1|1.22.1", bad: "nginx/conf.d",
	},
	{
		product: "http_server", vendor: "apache", anchor: "Apache/",
		pattern: `Apache/(\d\.\d+\.\d+)[\x00 \r\n(]`,
		good:    "Apache/2.4.57 (Unix)|2.4.57", bad: "Apache/2.4",
	},
	{
		product: "miniupnpd", vendor: "miniupnp_project", anchor: "MiniUPnPd/",
		pattern: `MiniUPnPd/(\d+\.\d+(?:\.\d+)?)[\x00\r\n ]`,
		good:    "MiniUPnPd/2.3.1|2.3.1", bad: "MiniUPnPd/%s",
	},
	{
		product: "minidlna", vendor: "readymedia_project", anchor: "MiniDLNA/",
		pattern: `MiniDLNA/(\d+\.\d+\.\d+)[\x00\r\n ]`,
		good:    "MiniDLNA/1.3.0|1.3.0", bad: "MiniDLNA/%s",
	},
	{
		product: "portable_sdk_for_upnp", vendor: "libupnp_project", anchor: "Portable SDK for UPnP devices/",
		pattern: `Portable SDK for UPnP devices/(\d+\.\d+\.\d+)[\x00\r\n ]`,
		good:    "Portable SDK for UPnP devices/1.6.19|1.6.19", bad: "Portable SDK for UPnP devices/%s",
	},
	{
		product: "php", vendor: "php", anchor: "PHP/",
		pattern: `PHP/(\d\.\d+\.\d+)[\x00\r\n \-+]`,
		good:    "X-Powered-By: PHP/8.2.20|8.2.20", bad: "PHP/%s",
	},
	{
		product: "lua", vendor: "lua", anchor: "Lua 5.",
		pattern: `Lua (5\.\d\.\d+) +Copyright \(C\)`,
		good:    "Lua 5.1.5  Copyright (C) 1994-2012 Lua.org, PUC-Rio|5.1.5", bad: "Lua 5.1",
	},
	{
		product: "perl", vendor: "perl", anchor: "This is perl 5, version ",
		pattern: `This is perl (5), version (\d+), subversion (\d+)`,
		good:    "This is perl 5, version 36, subversion 0 (v5.36.0) built for|5.36.0", bad: "This is perl 5, version %d",
	},
	{
		product: "openssh", vendor: "openbsd", anchor: "OpenSSH_",
		pattern: `OpenSSH_(\d+\.\d+(?:\.\d+)?p\d+)[\x00 ,\r\n]`,
		good:    "OpenSSH_9.2p1 Debian-2|9.2p1", bad: "OpenSSH_2.5.0p1*,OpenSSH_2.5.1p1*",
	},
	{
		product: "libexpat", vendor: "libexpat_project", anchor: "expat_",
		pattern: `expat_(\d+\.\d+\.\d+)\x00`,
		good:    "expat_2.5.0|2.5.0", bad: "expat_realloc",
	},
	{
		product: "libpng", vendor: "libpng", anchor: "libpng version ",
		pattern: `libpng version (\d+\.\d+\.\d+)[\x00\n -]`,
		good:    "libpng version 1.6.39|1.6.39", bad: "libpng version %s",
	},
	{
		product: "openvpn", vendor: "openvpn", anchor: "OpenVPN ",
		pattern: `OpenVPN (\d+\.\d+(?:\.\d+)?|2\.\d_\w+) [a-z0-9_]+-`,
		good:    "OpenVPN 2.6.3 x86_64-pc-linux-gnu [SSL (OpenSSL)]|2.6.3", bad: "OpenVPN 2.4 client",
	},
	{
		product: "avahi", vendor: "avahi", anchor: "avahi ",
		pattern: `avahi (0\.\d+(?:\.\d+)?)\x00`,
		good:    "avahi 0.8|0.8", bad: "avahi daemon",
	},
	{
		product: "mini-httpd", vendor: "acme", anchor: "mini_httpd/",
		pattern: `mini_httpd/(\d+\.\d+[a-z]?) \d\d`,
		good:    "mini_httpd/1.30 26Oct2018|1.30", bad: "mini_httpd/cert",
	},
	{
		product: "thttpd", vendor: "acme", anchor: "thttpd/",
		pattern: `thttpd/(\d+\.\d+[a-z]?(?:\.\d+)?) `,
		good:    "thttpd/2.25b 29dec2003|2.25b", bad: "thttpd/www",
	},
	{
		product: "boa", vendor: "boa", anchor: "Boa/",
		pattern: `Boa/(0\.\d+\.\d+(?:rc\d+)?)[\x00\r\n \-]`,
		good:    "Boa/0.94.14rc21|0.94.14rc21", bad: "Boa/%s",
	},
	{
		product: "appweb", vendor: "embedthis", anchor: "Embedthis-Appweb/",
		pattern: `Embedthis-Appweb/(\d+\.\d+\.\d+)[\x00\r\n ]`,
		good:    "Embedthis-Appweb/3.2.3|3.2.3", bad: "Embedthis-Appweb/%s",
	},
	{
		product: "goahead", vendor: "embedthis", anchor: "GoAhead/",
		pattern: `GoAhead/(\d+\.\d+\.\d+)[\x00\r\n ]`,
		good:    "GoAhead/3.6.4|3.6.4", bad: "GoAhead/%s",
	},
	{
		product: "nostromo_nhttpd", vendor: "nazgul", anchor: "nostromo ",
		pattern: `nostromo (1\.\d+(?:\.\d+)?)[\x00\r\n ]`,
		good:    "nostromo 1.9.6|1.9.6", bad: "nostromo %s",
	},
	{
		product: "vsftpd", vendor: "vsftpd_project", anchor: "(vsFTPd ",
		pattern: `\(vsFTPd (\d\.\d+\.\d+)\)`,
		good:    "220 (vsFTPd 3.0.3)|3.0.3", bad: "(vsFTPd %s)",
	},
	{
		product: "proftpd", vendor: "proftpd", anchor: "ProFTPD ",
		pattern: `ProFTPD (1\.\d+\.\d+[a-z]?)[\x00 ]`,
		good:    "ProFTPD 1.3.5 Server|1.3.5", bad: "ProFTPD Version",
	},
	{
		product: "xl2tpd", vendor: "xelerance", anchor: "xl2tpd-",
		pattern: `xl2tpd-(\d\.\d+\.\d+)[\x00 \n]`,
		good:    "xl2tpd-1.3.18|1.3.18", bad: "xl2tpd-control",
	},
	{
		product: "libpcap", vendor: "tcpdump", anchor: "libpcap version ",
		pattern: `libpcap version (\d\.\d+\.\d+)[\x00 ]`,
		good:    "libpcap version 1.10.3 (with TPACKET_V3)|1.10.3", bad: "libpcap version %s",
	},
	{
		product: "libssh", vendor: "libssh", anchor: "SSH-2.0-libssh_",
		pattern: `SSH-2\.0-libssh_(\d+\.\d+\.\d+)[\x00 \r\n]`,
		good:    "SSH-2.0-libssh_0.10.6|0.10.6", bad: "SSH-2.0-libssh_%s",
	},
	{
		product: "libssh2", vendor: "libssh2", anchor: "SSH-2.0-libssh2_",
		pattern: `SSH-2\.0-libssh2_(\d+\.\d+\.\d+)[\x00 \r\n_]`,
		good:    "SSH-2.0-libssh2_1.10.0|1.10.0", bad: "SSH-2.0-libssh2_%s",
	},
	{
		product: "gnutls", vendor: "gnu", anchor: "Enabled GnuTLS ",
		pattern: `Enabled GnuTLS (\d+\.\d+\.\d+) `,
		good:    "Enabled GnuTLS 3.7.9 logging...|3.7.9", bad: "Enabled GnuTLS %s",
	},
	{
		product: "libgcrypt", vendor: "gnupg", anchor: "This is Libgcrypt ",
		pattern: `This is Libgcrypt (\d+\.\d+\.\d+)[\x00 \-]`,
		good:    "This is Libgcrypt 1.10.1 - The GNU Crypto Library|1.10.1", bad: "This is Libgcrypt %s",
	},
	{
		product: "ntp", vendor: "ntp", anchor: "ntpd 4.",
		pattern: `ntpd (4\.\d\.\d+(?:p\d+)?)[@\x00 \-]`,
		good:    "ntpd 4.2.8p15@1.3728-o|4.2.8p15", bad: "ntpd 4.2 or newer",
	},
	{
		product: "strongswan", vendor: "strongswan", anchor: "strongSwan ",
		pattern: `strongSwan (\d\.\d+\.\d+)[\x00 ,)]`,
		good:    "strongSwan 5.9.8|5.9.8", bad: "strongSwan %s",
	},
	{
		product: "exim", vendor: "exim", anchor: "Exim ",
		pattern: `Exim (4\.\d+(?:\.\d+)?)[\x00 ]`,
		good:    "220 Exim 4.96 Ubuntu|4.96", bad: "Exim 4 spool file",
	},
	{
		product: "glibc", vendor: "gnu", anchor: "GNU C Library (",
		pattern: `GNU C Library \([^)\x00]{0,80}\) (?:stable|development) release version (\d\.\d+)`,
		good:    "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.|2.36", bad: "GNU C Library (GLIBC)",
	},
	{
		product: "uclibc", vendor: "uclibc", anchor: "uClibc ",
		pattern: `uClibc (0\.9\.\d+)[\x00 .\-]`,
		good:    "uClibc 0.9.33.2|0.9.33", bad: "uClibc was configured",
	},
	{
		product: "uclibc-ng", vendor: "uclibc-ng_project", anchor: "uClibc-ng ",
		pattern: `uClibc-ng (1\.0\.\d+)[\x00 .\-]`,
		good:    "uClibc-ng 1.0.40|1.0.40", bad: "uClibc-ng release",
	},
	{
		product: "ffmpeg", vendor: "ffmpeg", anchor: "FFmpeg version ",
		pattern: `FFmpeg version n?(\d+\.\d+(?:\.\d+)?)[\x00 \-]`,
		good:    "FFmpeg version 5.1.8-0+deb12u1|5.1.8", bad: "FFmpeg version %s",
	},
	{
		product: "imagemagick", vendor: "imagemagick", anchor: "ImageMagick ",
		pattern: `ImageMagick (\d\.\d+\.\d+-\d+) Q`,
		good:    "ImageMagick 6.9.11-60 Q16 x86_64|6.9.11-60", bad: "ImageMagick Backdrop",
	},
	{
		product: "isc-dhclient", vendor: "isc", anchor: "isc-dhclient-",
		pattern: `isc-dhclient-(\d\.\d+\.\d+(?:-P\d+)?)[\x00 ]`,
		good:    "isc-dhclient-4.4.3-P1|4.4.3-P1", bad: "isc-dhclient-%s",
	},
	{
		product: "dhcpcd", vendor: "dhcpcd_project", anchor: "dhcpcd-",
		pattern: `dhcpcd-(\d+\.\d+\.\d+)[\x00: ]`,
		good:    "dhcpcd-9.4.1|9.4.1", bad: "dhcpcd-%s",
	},
	{
		product: "unbound", vendor: "nlnetlabs", anchor: "unbound ",
		pattern: `unbound (1\.\d+\.\d+)[\x00 \n]`,
		good:    "unbound 1.17.1|1.17.1", bad: "unbound control",
	},
	{
		product: "squid", vendor: "squid-cache", anchor: "squid/",
		pattern: `squid/(\d+\.\d+(?:\.\d+)?)[\x00 \r\n]`,
		good:    "squid/5.7|5.7", bad: "squid/cache",
	},
	{
		product: "cups", vendor: "openprinting", anchor: "CUPS/",
		pattern: `CUPS/(\d\.\d+\.\d+)[\x00 \r\n]`,
		good:    "CUPS/2.4.2|2.4.2", bad: "CUPS/%s",
	},
	{
		product: "samba", vendor: "samba", anchor: "Samba ",
		pattern: `Samba (\d\.\d+\.\d+)[\x00 \-]`,
		good:    "Samba 4.17.12-Debian|4.17.12", bad: "Samba version",
	},
	{
		product: "netatalk", vendor: "netatalk", anchor: "netatalk ",
		pattern: `netatalk (\d\.\d+\.\d+)[\x00 \-]`,
		good:    "netatalk 3.1.12|3.1.12", bad: "netatalk %s",
	},
	{
		product: "live555", vendor: "live555", anchor: "LIVE555 Streaming Media v",
		pattern: `LIVE555 Streaming Media v(\d{4}\.\d\d\.\d\d)[\x00 )\r\n]`,
		good:    "LIVE555 Streaming Media v2020.03.06|2020.03.06", bad: "LIVE555 Streaming Media v%s",
	},
	{
		product: "gsoap", vendor: "genivia", anchor: "gSOAP/",
		pattern: `gSOAP/(\d\.\d+(?:\.\d+)?)[\x00 \r\n]`,
		good:    "gSOAP/2.8.15|2.8.15", bad: "gSOAP/%s",
	},
	{
		product: "sofia-sip", vendor: "signalwire", anchor: "sofia-sip/",
		pattern: `sofia-sip/(\d\.\d+(?:\.\d+)?)[\x00 \r\n]`,
		good:    "sofia-sip/1.12.11|1.12.11", bad: "sofia-sip/%s",
	},
	{
		product: "asterisk", vendor: "digium", anchor: "Asterisk ",
		pattern: `Asterisk (\d+\.\d+\.\d+)[\x00 ,]`,
		good:    "Asterisk 16.2.1|16.2.1", bad: "Asterisk Call Manager",
	},
	{
		product: "mongoose", vendor: "cesanta", anchor: "Mongoose/",
		pattern: `Mongoose/(\d\.\d+)[\x00 \r\n]`,
		good:    "Mongoose/6.18|6.18", bad: "Mongoose/%s",
	},
	{
		product: "civetweb", vendor: "civetweb_project", anchor: "CivetWeb/",
		pattern: `CivetWeb/(\d\.\d+(?:\.\d+)?)[\x00 \r\n]`,
		good:    "CivetWeb/1.15|1.15", bad: "CivetWeb/%s",
	},
	{
		product: "monkey", vendor: "monkey-project", anchor: "Monkey/",
		pattern: `Monkey/(\d\.\d+\.\d+)[\x00 \r\n(]`,
		good:    "Monkey/1.5.6|1.5.6", bad: "Monkey/%s",
	},
	{
		product: "stunnel", vendor: "stunnel", anchor: "stunnel ",
		pattern: `stunnel (\d\.\d+) on `,
		good:    "stunnel 5.68 on x86_64-pc-linux-gnu platform|5.68", bad: "stunnel %s on",
	},
	{
		product: "tinyproxy", vendor: "tinyproxy", anchor: "tinyproxy/",
		pattern: `tinyproxy/(\d\.\d+\.\d+)[\x00 \r\n]`,
		good:    "tinyproxy/1.11.1|1.11.1", bad: "tinyproxy/conf",
	},
	{
		product: "iperf3", vendor: "es", anchor: "iperf 3",
		pattern: `iperf (3\.\d+(?:\.\d+)?)[\x00 \n]`,
		good:    "iperf 3.12|3.12", bad: "iperf 3 server",
	},
	{
		product: "quagga", vendor: "quagga", anchor: "Quagga ",
		pattern: `Quagga (\d\.\d+\.\d+)[\x00 ,]`,
		good:    "Quagga 1.2.4|1.2.4", bad: "Quagga daemon",
	},
	{
		product: "zephyr", vendor: "zephyrproject", anchor: "Booting Zephyr OS ",
		pattern: `Booting Zephyr OS (?:build |version )?(?:zephyr-)?v?(\d+\.\d+\.\d+)[\x00 \-]`,
		good:    "*** Booting Zephyr OS build zephyr-v3.4.0 ***|3.4.0", bad: "Booting Zephyr OS build %s",
	},
	{
		product: "freertos", vendor: "amazon", anchor: "FreeRTOS ",
		pattern: `FreeRTOS (?:Kernel )?V(\d+\.\d+\.\d+)[\x00 \n]`,
		good:    "FreeRTOS Kernel V10.4.3|10.4.3", bad: "FreeRTOS heap",
	},
	{
		product: "threadx", vendor: "microsoft", anchor: "* ThreadX ",
		pattern: `\* ThreadX [^\x00*]{0,60}Version G?(\d\.\d+(?:\.\d+)?)`,
		good:    "* ThreadX Cortex-M4/GNU Version G5.8.1.5.0|5.8.1", bad: "* ThreadX timer",
	},
	{
		product: "vxworks", vendor: "windriver", anchor: "VxWorks ",
		pattern: `VxWorks(?: SMP)? (\d\.\d+(?:\.\d+)*)[\x00 \n]`,
		good:    "VxWorks 6.9.4|6.9.4", bad: "VxWorks image",
	},
	{
		product: "nuttx", vendor: "apache", anchor: "NuttX-",
		pattern: `NuttX-(\d+\.\d+(?:\.\d+)?)[\x00 \n]`,
		good:    "NuttX-10.1.0|10.1.0", bad: "NuttX-nsh",
	},
	{
		product: "riot", vendor: "riot-os", anchor: "This is RIOT! (Version: ",
		pattern: `This is RIOT! \(Version: (\d{4}\.\d\d)[\x00 )\-]`,
		good:    "This is RIOT! (Version: 2021.04)|2021.04", bad: "This is RIOT! (Version: %s)",
	},
	{
		product: "bash", vendor: "gnu", anchor: "@(#)Bash version ",
		pattern: `@\(#\)Bash version (\d+\.\d+\.\d+)\(`,
		good:    "@(#)Bash version 4.3.11(1) release GNU|4.3.11", bad: "@(#)Bash version %s",
	},
	{
		product: "jquery", vendor: "jquery", anchor: "jQuery v",
		pattern: `jQuery v(\d+\.\d+\.\d+)[ \n|]`, script: true,
		good: "/*! jQuery v1.12.4 | (c) jQuery Foundation|1.12.4", bad: "jQuery v%s",
	},
	{
		product: "jquery", vendor: "jquery", anchor: "jQuery JavaScript Library v",
		pattern: `jQuery JavaScript Library v(\d+\.\d+\.\d+)[ \r\n\x00]`, script: true,
		good: " * jQuery JavaScript Library v3.3.1|3.3.1", bad: "jQuery JavaScript Library v%s",
	},
	{
		product: "bootstrap", vendor: "getbootstrap", anchor: "Bootstrap v",
		pattern: `Bootstrap v(\d+\.\d+\.\d+) \(http`, script: true,
		good: " * Bootstrap v3.3.7 (http://getbootstrap.com)|3.3.7", bad: "Bootstrap v4",
	},
	{
		product: "angular.js", vendor: "angularjs", anchor: "AngularJS v",
		pattern: `AngularJS v(1\.\d+\.\d+)[ \r\n\x00]`, script: true,
		good: " AngularJS v1.5.8|1.5.8", bad: "AngularJS v%s",
	},
}
