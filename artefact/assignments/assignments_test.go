package assignments

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       []Assignment
	}{
		"ini":      {"etc/a.conf", "[cloud]\n# password = old\npassword = n0t # told\n;x=y\n", []Assignment{{"password", "n0t", "cloud", 3}}},
		"shell":    {"etc/init.d/x", "export PASS='a b'\nif [ -n \"$PASS\" ]; then\n", []Assignment{{"PASS", "a b", "", 1}, {"if", "[ -n \"$PASS\" ]; then", "", 2}}},
		"uci":      {"etc/config/wireless", "config wifi-iface 'a'\n\toption key 'word word'\n", []Assignment{{"key", "word word", "wifi-iface 'a'", 2}}},
		"json":     {"opt/app.json", "{\n  \"password\": \"quiet\",\n  \"port\": 7\n}\n", []Assignment{{"password", "quiet", "", 2}, {"port", "7", "", 3}}},
		"yaml":     {"opt/app.yaml", "- user: a\n  password: \"b\"\n", []Assignment{{"user", "a", "", 1}, {"password", "b", "", 2}}},
		"xml":      {"opt/app.xml", "<Password>quiet</Password>\n<string name=\"key\">k</string>\n<param name=\"p\" value=\"v\"/>\n", []Assignment{{"Password", "quiet", "", 1}, {"key", "k", "", 2}, {"p", "v", "", 3}}},
		"wpa":      {"etc/wpa_supplicant.conf", "network={\n  ssid=\"home\"\n  psk=\"a secret\"\n}\n", []Assignment{{"ssid", "home", "network", 2}, {"psk", "a secret", "network", 3}}},
		"comment":  {"etc/a.xml", "<!-- <password>one</password>\n<password>two</password>\n-->\n<password>three</password>\n/* a=b */\nc=d\n", []Assignment{{"password", "three", "", 4}, {"c", "d", "", 6}}},
		"snmp":     {"etc/snmp/snmpd.conf", "rocommunity public 10.0.0.0/8\n", []Assignment{{"rocommunity", "public 10.0.0.0/8", "", 1}}},
		"binary":   {"etc/x.conf", "a=b\x00\n", nil},
		"document": {"usr/share/doc/etc/x.conf", "a=b\n", nil},
		"language": {"www/de.json", "\"password\": \"Passwort\"\n", nil},
		"program":  {"usr/bin/x", "a=b\n", nil},
	} {
		if diff := cmp.Diff(c.want, Parse(c.file, []byte(c.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("[cloud]\npassword = n0t # told\n<a>b</a>\noption key 'x'\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if list := Parse("etc/x.conf", data); len(list) > most {
			t.Errorf("%d settings", len(list))
		}
	})
}
