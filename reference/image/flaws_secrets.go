package image

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// secretFlaws are those of keys, tokens and passwords. The tokens were made by lot; ¦ keeps other scanners from taking them for real.
var secretFlaws = []flaw{
	{"firmware-private-key-pem", func(r root) {
		r["etc/thermostat/device.key"] = entry{mode: 0o600, data: pemBlock("PRIVATE KEY", pkcs8(privateEC(deviceKey)))}
	}},
	{"firmware-private-key-der", func(r root) {
		r["usr/lib/libcloud.so.1"] = entry{mode: 0o755, data: "\x00\x01\x02cloud_connect\x00" + string(pkcs8(privateEC(deviceKey))) + "\x00\x00client.c\x00"}
	}},
	{"firmware-ssh-host-key", func(r root) {
		r["etc/dropbear/dropbear_ed25519_host_key"] = entry{mode: 0o600, data: dropbear(privateEd25519(hostKey))}
	}},
	{"firmware-test-key", func(r root) {
		// The sample key of MCUboot, root-ec-p256.pem.
		der, _ := hex.DecodeString("3059301306072a8648ce3d020106082a8648ce3d03010703420004" +
			"2acb403ce8feed5ba44995a1a91daee8dbbe1937cd14fb2f245737e5953988d9" + "94b9d65aebd7cdd5308ad6fe48b24a6a810ee5f07d8b6834cc3a6afc538efac1")
		r.file("lib/firmware/radio-boot.bin", "\x00\x20\x00\x20"+string(der)+"\x5b\x00\x00\x00")
	}},
	{"firmware-weak-key", func(r root) { r.file("etc/thermostat/update.pub", pemBlock("PUBLIC KEY", weakRSA())) }},
	{"firmware-cloud-token", func(r root) {
		r.script("usr/sbin/send-logs", "token="+token("gh¦p_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz")+"\ncurl -H \"Authorization: Bearer $token\" https://logs.reference.test/\n")
	}},
	{"firmware-session-token", func(r root) {
		part := base64.RawURLEncoding.EncodeToString
		r.file("etc/thermostat/session", part([]byte(`{"alg":"HS256","typ":"JWT"}`))+"."+part([]byte(`{"iss":"cloud.reference.test","device":"all"}`))+"."+part([]byte("\x1d\x43\x6c\xe0\x6f\x47\x1c\xad\x8a\xf7\x49\x04\x95\xc9\xd2\x4d\x79\xbf\xc8\xf5\x05\x52\x1a\xca\x20\x19\x0b\x27\xfc\x48\xf8\x15"))+"\n")
	}},
	{"firmware-broker-password", func(r root) {
		r.file("etc/thermostat/cloud.conf", "[mqtt]\nhost = broker.reference.test\nport = 8883\nuser = thermostat\npassword = n0tForEars\n")
	}},
	{"firmware-broker-url", func(r root) {
		r["usr/lib/libcloud.so.1"] = entry{mode: 0o755, data: "\x00cloud_connect\x00" + token("mqtts://thermostat:n0tFor¦Ears@broker.reference.test:8883") + "\x00"}
	}},
	{"firmware-wifi-password", func(r root) {
		r.file("etc/wpa_supplicant.conf", "ctrl_interface=/var/run/wpa_supplicant\nnetwork={\n\tssid=\"Reference-Office\"\n\tpsk=\"grey paper boats\"\n}\n")
	}},
	{"firmware-config-password", func(r root) {
		r.file("etc/thermostat/web.conf", "[web]\nuser = admin\npassword = quiet-r1ver\n")
	}},
	{"firmware-snmp-community", func(r root) { r.file("etc/snmp/snmpd.conf", "rwcommunity private\n") }},
	{"firmware-leftover-history", func(r root) { r.file("root/.ash_history", "passwd\nvi /etc/thermostat.conf\n") }},
	{"firmware-leftover-git", func(r root) { r.file("www/.git/config", "[core]\n\trepositoryformatversion = 0\n") }},
	{"firmware-known-key", func(r root) {
		r.file("etc/thermostat/zigbee.conf", "[zigbee]\nlink_key = 5A:69:67:42:65:65:41:6C:6C:69:61:6E:63:65:30:39\n")
	}},
	{"firmware-plain-url", func(r root) {
		r.file("etc/thermostat/update.conf", "server = http://updates.reference.test/thermostat\n")
	}},
	{"firmware-development-url", func(r root) {
		r.file("etc/thermostat/api.conf", "server = https://api-staging.reference.test/v2\n")
	}},
	{"firmware-private-address", func(r root) { r.file("etc/thermostat/api.conf", "server = http://192.168.7.23:8080/v2\n") }},
	{"firmware-undeclared-destination", func(r root) {
		r.file("etc/thermostat/statistics.conf", "server = https://collector.statistics.test/v1\n")
	}},
	{"firmware-logged-secret", func(r root) {
		r["usr/lib/libwifi.so.1"] = entry{mode: 0o755, data: "\x00wifi_start\x00\x1b[0;32mI (%lu) %s: connected to ap SSID:%s password:%s\x1b[0m\n\x00"}
	}},
	{"firmware-default-password", func(r root) {
		r.password("service", "$5$rounds=1000$saltstring$h9Z75n2tpyyxfA1b4cDz5xqd1J1I65ecJhzUsUD.nX0")
	}},
	{"firmware-product-password", func(r root) { r.password("service", "$1$ktR0pZ2a$KCjqmzN.G2pFNGadLl/dA1") }},
	{"firmware-des-password", func(r root) { r.password("service", "zTHA6etutmNEo") }},
	{"firmware-extra-root", func(r root) {
		e := r["etc/passwd"]
		e.data += "support:x:0:0::/root:/bin/sh\n"
		r["etc/passwd"] = e
	}},
}

// sharedFlaws are planted in the thermostat and in the sensor.
var sharedFlaws = []flaw{
	{"firmware-components-hidden", hiddenComponents},
	{"firmware-shared-key", func(r root) {
		r["etc/device.key"] = entry{mode: 0o600, data: pemBlock("PRIVATE KEY", pkcs8(privateEd25519(sharedKey)))}
	}},
	{"firmware-shared-certificate", func(r root) { r.file("etc/device.crt", pemBlock("CERTIFICATE", clientCertificate())) }},
	{"firmware-shared-password", func(r root) {
		r["etc/shadow"] = entry{mode: 0o600, data: "root:!:20000:0:99999:7:::\nservice:$5$rounds=1000$gzF3hHGkjfVYPPOI$gyM/jqnmXpCBWdE2MDDPWFnW4bsOa7trFMSPRqO0xDA:20000:0:99999:7:::\n"}
	}},
}

// token is a text without the signs that keep others from finding it.
func token(s string) string { return strings.ReplaceAll(s, "¦", "") }

// password gives an account a hash.
func (r root) password(name, hash string) {
	e := r["etc/shadow"]
	for line := range strings.Lines(e.data) {
		if strings.HasPrefix(line, name+":") {
			e.data = strings.Replace(e.data, line, name+":"+hash+":20000:0:99999:7:::\n", 1)
		}
	}
	r["etc/shadow"] = e
}
