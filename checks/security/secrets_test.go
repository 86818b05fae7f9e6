package security

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/accounts"
	"github.com/shakedown-test/shakedown/artefact/addresses"
	"github.com/shakedown-test/shakedown/artefact/assignments"
	"github.com/shakedown-test/shakedown/artefact/crypt"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

func fileNode(name string) *tree.Node {
	return &tree.Node{Name: name, File: &tree.File{}, Parent: &tree.Node{Name: "rootfs"}}
}

func titles(all []check.Finding) (list []string) {
	for _, f := range all {
		list = append(list, f.Title)
	}
	return list
}

// set reads settings as they stand in a file.
func set(name, text string) (list []artefact.Assignment) {
	for _, a := range assignments.Parse(name, []byte(text)) {
		list = append(list, artefact.Assignment{Assignment: a, Node: fileNode(name)})
	}
	return list
}

func TestJudgePrivateKeys(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := keys.Find(der)[0].Private
	at := func(form, name string) artefact.PrivateKey {
		p := *key
		p.Form = form
		return artefact.PrivateKey{Private: &p, Node: fileNode(name)}
	}
	encrypted := artefact.PrivateKey{Private: &keys.Private{Form: "PEM", Encrypted: true, Secret: "x"}, Node: fileNode("a.pem")}
	for name, c := range map[string]struct {
		all       []artefact.PrivateKey
		pem, host int
	}{
		"none":            {nil, 0, 0},
		"a key":           {[]artefact.PrivateKey{at("PEM", "etc/a.key")}, 1, 0},
		"in two places":   {[]artefact.PrivateKey{at("PEM", "etc/a.key"), at("base64", "etc/b.key")}, 1, 0},
		"in binary":       {[]artefact.PrivateKey{at("DER", "usr/bin/a")}, 0, 0},
		"of Dropbear":     {[]artefact.PrivateKey{at("Dropbear", "etc/x")}, 0, 1},
		"of OpenSSH":      {[]artefact.PrivateKey{at("OpenSSH", "etc/ssh/ssh_host_ed25519_key")}, 0, 1},
		"for the network": {[]artefact.PrivateKey{at("OpenSSH", "root/.ssh/id_ed25519")}, 1, 0},
		"encrypted":       {[]artefact.PrivateKey{encrypted}, 1, 0},
	} {
		pem, host := judgePrivateKeys(c.all, "PEM", "OpenSSH", "base64"), judgeHostKeys(c.all)
		if len(pem) != c.pem || len(host) != c.host {
			t.Errorf("%s: %v and %v", name, titles(pem), titles(host))
		}
	}
	if f := judgePrivateKeys([]artefact.PrivateKey{encrypted}, "PEM"); f[0].Severity != check.Major {
		t.Errorf("an encrypted key is %q", f[0].Severity)
	}
}

func TestJudgeWeakKeys(t *testing.T) {
	rsa := func(bits int, n int64, e int64) *keys.Key {
		return &keys.Key{Kind: "RSA", Bits: bits, N: big.NewInt(n), E: big.NewInt(e), SPKI: []byte{byte(n), byte(n >> 8)}}
	}
	for name, c := range map[string]struct {
		all  []sighted
		want []check.Severity
	}{
		"good":            {[]sighted{{rsa(2048, 2147483647, 65537), "a", false}}, nil},
		"short":           {[]sighted{{rsa(1024, 2147483647, 65537), "a", false}}, []check.Severity{""}},
		"exponent":        {[]sighted{{rsa(2048, 2147483647, 3), "a", false}}, []check.Severity{check.Minor}},
		"of certificates": {[]sighted{{rsa(1024, 2147483647, 3), "a", true}}, nil},
		"shared prime":    {[]sighted{{rsa(2048, 101*103, 65537), "a", true}, {rsa(2048, 103*107, 65537), "b", true}}, []check.Severity{check.Blocker, check.Blocker}},
		"the same twice":  {[]sighted{{rsa(2048, 101*103, 65537), "a", true}, {rsa(2048, 101*103, 65537), "b", true}}, nil},
	} {
		var got []check.Severity
		for _, f := range judgeWeakKeys(c.all) {
			got = append(got, f.Severity)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestJudgeShared(t *testing.T) {
	all := []shared{{0, "k", "key", "a"}, {0, "k", "key", "b"}, {0, "l", "key", "c"}}
	if f := judgeShared("Shares: ", all); len(f) != 0 {
		t.Errorf("in one artefact: %v", titles(f))
	}
	if f := judgeShared("Shares: ", append(all, shared{1, "k", "key", "d"})); len(f) != 1 || f[0].Seen != "a; d" {
		t.Errorf("in two: %+v", f)
	}
}

func TestJudgeSecrets(t *testing.T) {
	n := fileNode("a")
	var all []artefact.Secret
	for _, h := range rules.Find([]byte("gh" + "p_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz gh" + "p_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz mqtt://u:Qu1etRain" + "@b.reference.test")) {
		all = append(all, artefact.Secret{Rule: h.Rule, Value: h.Secret, Node: n, Offset: int64(h.Offset)})
	}
	f := judgeSecrets(all, rules.Cloud)
	if len(f) != 1 || f[0].Title != "Gives away a GitHub token" || strings.Contains(f[0].Seen, "FJ6k") {
		t.Errorf("tokens: %+v", f)
	}
	if f := judgeSecrets(all, rules.Broker); len(f) != 1 || strings.Contains(f[0].Seen, "Rain") {
		t.Errorf("brokers: %+v", f)
	}
	if f := judgeSecrets(all, rules.JWT); len(f) != 0 {
		t.Errorf("sessions: %+v", f)
	}
}

func TestJudgeSettings(t *testing.T) {
	for text, want := range map[string][4]int{ // of the broker, of Wi-Fi, of others, of SNMP
		"etc/a.conf\n[mqtt]\npassword=quiet7":                        {1, 0, 0, 0},
		"etc/mosquitto/a.conf\nremote_password quiet7":               {1, 0, 0, 0},
		"etc/a.conf\nbroker_pass=quiet7\n#mqtt_password=old":         {1, 0, 0, 0},
		"etc/hostapd.conf\nssid=Setup\nwpa_passphrase=12345678":      {0, 1, 0, 0},
		"etc/wpa_supplicant.conf\nnetwork={\npsk=\"a b c d e f\"\n}": {0, 1, 0, 0},
		"etc/config/wireless\noption key 'one two three'":            {0, 1, 0, 0},
		"etc/hostapd.conf\nwpa_passphrase=%s":                        {0, 0, 0, 0},
		"etc/a.conf\n[web]\nuser=admin\npassword=admin":              {0, 0, 1, 0},
		"etc/a.conf\n# password=admin\npassword_file=/etc/x":         {0, 0, 0, 0},
		"etc/snmp/snmpd.conf\nrwcommunity private\nrocommunity x7k1": {0, 0, 0, 1},
		"etc/snmp/snmpd.conf\nrocommunity public localhost":          {0, 0, 0, 1},
	} {
		name, text, _ := strings.Cut(text, "\n")
		all := set(name, text)
		got := [4]int{
			len(judgeSettings(all, ofBroker)), len(judgeWiFi(all)),
			len(judgeSettings(all, func(s artefact.Assignment) bool { return !ofBroker(s) && !ofWiFi(s) })), len(judgeSNMP(all)),
		}
		if got != want {
			t.Errorf("%s: %q: %v, want %v", name, text, got, want)
		}
	}
}

func TestJudgeKnownKeys(t *testing.T) {
	for text, want := range map[string]int{
		"link_key = 5A:69:67:42:65:65:41:6C:6C:69:61:6E:63:65:30:39": 1, "ble_passkey = 123456": 1, "network_key = 0x00000000000000000000000000000000": 1,
		"link_key = 0f1e2d3c4b5a69788796a5b4c3d2e1f0": 0, "serial = 123456": 0, "passkey = 804512": 0,
	} {
		if f := judgeKnownKeys(set("etc/a.conf", text)); len(f) != want {
			t.Errorf("%s: %v", text, titles(f))
		}
	}
}

func TestJudgeLeftovers(t *testing.T) {
	for name, want := range map[string]int{
		"root/.bash_history": 1, "www/.git/HEAD": 1, "etc/.passwd.swp": 1, "etc/network.conf.bak": 1, "root/.ssh/id_rsa": 1, "www/.gitignore": 0, "usr/lib/core": 0, "etc/passwd-": 0, "usr/share/history": 0, "etc/hosts~": 1,
	} {
		n := fileNode(name)
		n.Data = section("x")
		if f := judgeLeftovers([]*tree.Node{n}); len(f) != want {
			t.Errorf("%s: %v", name, titles(f))
		}
	}
	one, two := fileNode("www/.git/HEAD"), fileNode("www/.git/config")
	one.Data, two.Data = section("x"), section("y")
	if f := judgeLeftovers([]*tree.Node{one, two}); len(f) != 1 {
		t.Errorf("one repository is found %d times", len(f))
	}
}

func TestJudgeAddresses(t *testing.T) {
	for text, want := range map[string][3]int{ // without TLS, of the development, not declared
		"http://updates.reference.test/v1":          {1, 0, 0},
		"http://www.w3.org/2001/api":                {0, 0, 0},
		"http://ocsp.maker.test/":                   {0, 0, 0},
		"http://crl.maker.test/download/a.crl":      {0, 0, 0},
		"http://192.168.4.1/api":                    {0, 0, 0},
		"http://10.1.2.3/api":                       {0, 1, 0},
		"http://news.maker.test/about":              {0, 0, 0},
		"mqtt://b.maker.test:1883":                  {1, 0, 0},
		"https://api-dev.reference.test/":           {0, 1, 0},
		"https://developer.reference.test/":         {0, 0, 0},
		"https://dev.maker.test/":                   {0, 0, 1},
		"https://abc.ngrok.io/":                     {0, 1, 1},
		"https://cloud.reference.test/":             {0, 0, 0},
		"https://telemetry.somebody.test/":          {0, 0, 1},
		"# http://updates.reference.test/ was once": {0, 0, 0},
		"https://hub.local/":                        {0, 0, 0},
	} {
		var all []artefact.Address
		for i := range addresses.Patterns(0) {
			if at := strings.Index(text, ":"); i%2 == 0 {
				if u, ok := addresses.Read(i, []byte(text), max(0, strings.LastIndexByte(text[:at], ' ')+1)); ok && strings.HasPrefix(u.Text, u.Scheme+":") && addresses.Patterns(0)[i].Bytes == u.Scheme+"://" && strings.HasPrefix(strings.TrimPrefix(text, "# "), u.Scheme+"://") {
					all = append(all, artefact.Address{URL: u, Node: fileNode("etc/a.conf")})
				}
			}
		}
		got := [3]int{len(judgePlainURLs(all)), len(judgeDevelopmentURLs(all, []string{"reference.test"})), len(judgeDestinations(all, []string{"*.reference.test"}))}
		if got != want || len(all) != 1 {
			t.Errorf("%s: %v of %d, want %v", text, got, len(all), want)
		}
	}
}

func TestJudgeHashes(t *testing.T) {
	account := func(name, hash string) artefact.Account {
		return artefact.Account{Account: accounts.Account{Name: name, Hash: hash, Shadow: true, Line: 1}, Node: fileNode("etc/shadow")}
	}
	facts := &artefact.Facts{}
	facts.Accounts = []artefact.Account{
		account("root", "!"), account("a", "$1$saltsalt$Y3BMhxQHmg7scgLILa56u1"), account("b", "abOV.DfJmdnYw"), account("c", "*LK*"),
		account("d", "$5$rounds=1000$saltstring$h9Z75n2tpyyxfA1b4cDz5xqd1J1I65ecJhzUsUD.nX0"), account("e", "!$1$saltsalt$Y3BMhxQHmg7scgLILa56u1"),
	}
	suspects := suspectsOf([]*artefact.Facts{facts})
	var schemes []string
	for _, s := range suspects {
		schemes = append(schemes, s.hash.Scheme)
	}
	if !slices.Equal(schemes, []string{"DES", "SHA-256", "MD5"}) { // by what a try costs
		t.Errorf("%v", schemes)
	}
	if f := judgeWeakHashes(suspects); len(f) != 2 {
		t.Errorf("weak: %v", titles(f))
	}
	h, err := crypt.Parse("abOV.DfJmdnYw")
	if err != nil {
		t.Fatal(err)
	}
	f := judgeGuess(suspect{h, []string{"root"}}, &accounts.Word{Text: "admin", Source: "a list"})
	if len(f) != 1 || strings.Contains(f[0].Seen, "admin") || len(judgeGuess(suspect{h, nil}, nil)) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestJudgeExtraRoots(t *testing.T) {
	line := func(name string, uid int, shell string) artefact.Account {
		return artefact.Account{Account: accounts.Account{Name: name, UID: uid, Shell: shell, Line: 1}, Node: fileNode("etc/passwd")}
	}
	for name, c := range map[string]struct {
		all  []artefact.Account
		want int
	}{
		"root":              {[]artefact.Account{line("root", 0, "/bin/sh"), line("a", 1, "/bin/sh")}, 0},
		"a second":          {[]artefact.Account{line("root", 0, "/bin/sh"), line("a", 0, "/bin/sh")}, 1},
		"admin for root":    {[]artefact.Account{line("admin", 0, "/bin/sh"), line("nobody", 99, "/bin/false")}, 0},
		"admin and another": {[]artefact.Account{line("admin", 0, "/bin/sh"), line("b", 0, "/bin/sh")}, 1},
	} {
		if f := judgeExtraRoots(c.all); len(f) != c.want {
			t.Errorf("%s: %v", name, titles(f))
		}
	}
}

func section(text string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(text), 0, int64(len(text)))
}
