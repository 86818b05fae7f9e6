package accounts

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		file, text string
		want       []Account
	}{
		{"passwd", "root:x:0:0:root:/root:/bin/ash\n# a comment: x\nbroken\nftp::21:21::/home:/bin/false\r\n", []Account{
			{Name: "root", UID: 0, Shell: "/bin/ash", Hash: "x", Line: 1}, {Name: "ftp", UID: 21, Shell: "/bin/false", Line: 4},
		}},
		{"shadow-", "root:$1$ab$cd:0:0:99999:7:::\nguest::0:0:99999:7:::\n", []Account{
			{Name: "root", UID: -1, Hash: "$1$ab$cd", Shadow: true, Line: 1}, {Name: "guest", UID: -1, Shadow: true, Line: 2},
		}},
		{"passwd", "root:x:none:0:root:/root:/bin/ash\n:x:0:0:a:b:c\n", nil},
		{"hosts", "root:x:0:0:root:/root:/bin/ash\n", nil},
	} {
		if diff := cmp.Diff(c.want, Parse(c.file, []byte(c.text))); diff != "" {
			t.Errorf("%s of %q (-want +got):\n%s", c.file, c.text, diff)
		}
	}
}

func TestLogin(t *testing.T) {
	for shell, want := range map[string]bool{"/bin/sh": true, "": true, "/usr/sbin/nologin": false, "/bin/false": false, "bash": true} {
		if got := (Account{Shell: shell}).Login(); got != want {
			t.Errorf("login by %q: %v", shell, got)
		}
	}
}
