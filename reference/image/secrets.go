package image

import "strings"

// innocent is what looks like secrets and is none, and what the checks of keys and secrets need to have something to look at.
func innocent(r root) {
	r["usr/lib/libtls.so.3"] = entry{mode: 0o755, data: "\x00tls_load_file\x00-----BEGIN RSA PRIVATE KEY-----\x00-----END RSA PRIVATE KEY-----\x00" +
		"-----BEGIN CERTIFICATE-----\x00-----END CERTIFICATE-----\x00-----BEGIN PRIVATE KEY-----\x00%s: bad password read\x00Enter PEM pass phrase:\x00wpa_passphrase=%s\x00Enter password for %s: \x00ghp_\x00AKIA\x00ssh-rsa\x00\x00\x00\x07ssh-rsa\x00" +
		"http://www.w3.org/2001/XMLSchema\x00http://ocsp.reference.test/\x00"}
	r["usr/lib/libzigbee.so.1"] = entry{mode: 0o755, data: "\x00ZigBeeAlliance09\x00install code rejected\x00"}
	r.file("usr/share/doc/thermostat/README.md", strings.ReplaceAll(`Examples

    aws_access_key_id = AKIA¦IOSFODNN7EXAMPLE
    aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
    broker = mqtt://user:pass@example.com
    token = eyJ¦hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c

-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC...
-----END PRIVATE KEY-----

Updates came from http://updates.reference.test/ once.
`, "¦", ""))
	r.file("etc/thermostat/advanced.conf", `# password = changeme
# proxy = http://user:password@proxy.reference.test:3128
[cloud]
user = thermostat
password_file = /var/lib/thermostat/password
[zigbee]
join = install-code
`)
	r.file("etc/thermostat/update.pub", pemBlock("PUBLIC KEY", publicEC(updateKey)))
}
