package crypt

import (
	"strings"
	"testing"
	"time"
)

// The hashes were made by libxcrypt 4.4.33 (crypt(3) through Perl) and, $apr1$, by OpenSSL 3.0.
var samples = []struct{ password, hash, scheme string }{
	{"admin", "abOV.DfJmdnYw", "DES"},
	{"longerthan8", "zz6XwEAsbAWcE", "DES"},
	{"admin", "$1$saltsalt$Y3BMhxQHmg7scgLILa56u1", "MD5"},
	{strings.Repeat("x", 40), "$1$saltsalt$lTT80f5GEB.8cfLv43D0D1", "MD5"},
	{"admin", "$apr1$saltsalt$9c0WR0Se3z5lfIgYnltHf1", "MD5"},
	{"admin", "$5$rounds=1000$saltstring$h9Z75n2tpyyxfA1b4cDz5xqd1J1I65ecJhzUsUD.nX0", "SHA-256"},
	{"admin", "$5$saltstring$P.bW6F1RP1HA7OPm5SRVZIGro4q5xJxWEWq0LwuJu6.", "SHA-256"},
	{"admin", "$6$saltstring$fHceV9ICtFDKaXXFnb7RiJaYuNyEyWoJ8Ktgcrejn6JFd2OtH.E7Ezpt83F1/uVFqUvO2sik9QpwGkOkMuBTf/", "SHA-512"},
	{strings.Repeat("x", 40), "$6$saltstring$fHYz3gn00KlL4YTsPnNP97RKz02FigkzXnb38dgYGj9KsYQdtNmaIhEpjLhNbpA2dQHzf85Xda8oMZ0sOeZLW1", "SHA-512"},
	{"admin", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$U9UxR4nlxJR6RYds8q2nfUO3NjkfW12EtgsQ0/AQWP4", "yescrypt"},
	{"admin", "$y$j75$F5Jx5fExrKuPp53xLKQ..1$D4ivxoKBNrCBnwCOJuP3EwgFLH4LKwWKYXHqe5Yh/P0", "yescrypt"},
	{"admin", "$2b$05$abcdefghijklmnopqrstuu/ETYr/khvH.poOJBsjjZk.DM9FaNihe", "bcrypt"},
}

func TestOpens(t *testing.T) {
	for _, s := range samples {
		h, err := Parse(s.hash)
		if err != nil {
			t.Errorf("%s: %v", s.hash, err)
			continue
		}
		if h.Scheme != s.scheme || h.Cost <= 0 || h.Weak != (s.scheme == "DES" || s.scheme == "MD5") {
			t.Errorf("%s: %+v", s.hash, h)
		}
		if !h.Opens(s.password) {
			t.Errorf("%s is not opened by %q", s.hash, s.password)
		}
		if h.Opens("Admin") || h.Opens("") {
			t.Errorf("%s is opened by another password", s.hash)
		}
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{
		"", "*", "!", "x", "*LK*", "!!", "!$6$saltstring$fHceV9ICtFDKaXXFnb7RiJaYuNyEyWoJ8Ktgcrejn6JFd2OtH.E7Ezpt83F1/uVFqUvO2sik9QpwGkOkMuBTf/",
		"$6$", "$6$a$b", "$5$rounds=x$a$b", "$1$a$tooshort", "$y$j9T$a$b", "$y$zzz$F5Jx5fExrKuPp53xLKQ..1$U9UxR4nlxJR6RYds8q2nfUO3NjkfW12EtgsQ0/AQWP4",
		"$y$jzzzzT$F5Jx5fExrKuPp53xLKQ..1$U9UxR4nlxJR6RYds8q2nfUO3NjkfW12EtgsQ0/AQWP4", "$2b$31$abcdefghijklmnopqrstuu/ETYr/khvH.poOJBsjjZk.DM9FaNihe", "not a hash at", "$$$$", "$6$rounds=5",
	} {
		if h, err := Parse(text); err == nil {
			t.Errorf("%q is read as %s", text, h.Scheme)
		}
	}
}

// A hash of so many rounds that nobody can try it is told as what it is, at its price.
func TestRounds(t *testing.T) {
	h, err := Parse("$6$rounds=999999999$salt$" + strings.Repeat("a", 86))
	if err != nil || h.Scheme != "SHA-512" || h.Cost < time.Minute {
		t.Errorf("%s, %v, %v", h.Scheme, h.Cost, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples {
		f.Add(s.hash)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := Parse(text); err == nil && h.Cost < 20e6 {
			_ = h.Opens("a")
		}
	})
}
