// Package crypt verifies password hashes as crypt(5) writes them: traditional DES, MD5 ($1$, and $apr1$ of Apache), SHA-256 ($5$),
// SHA-512 ($6$), bcrypt ($2$) and yescrypt ($y$).
package crypt

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Hash is a password hash that can be verified.
type Hash struct {
	Scheme string        // what its algorithm is called: "MD5"
	Weak   bool          // its algorithm holds nobody up any more
	Cost   time.Duration // about what one try takes

	text   string
	verify func(text, password string) bool
}

// ErrUnknown says that a text is no hash of a kind that is known here: it may be locked, empty, or of another algorithm.
var ErrUnknown = errors.New("no password hash of a known kind")

const (
	mostRounds = 999_999_999 // crypt(5): more are as many
	letters    = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Parse reads a hash.
func Parse(text string) (Hash, error) {
	h := Hash{text: text}
	fields := strings.Split(text, "$")
	switch {
	case len(text) == 13 && plain(text):
		h.Scheme, h.Weak, h.Cost, h.verify = "DES", true, 200*time.Microsecond, verifyDES
	case fields[0] != "": // locked, as by an exclamation mark before it
		return Hash{}, ErrUnknown
	case len(fields) == 4 && (fields[1] == "1" || fields[1] == "apr1") && len(fields[3]) == 22 && plain(fields[3]):
		h.Scheme, h.Weak, h.Cost, h.verify = "MD5", true, 400*time.Microsecond, verifyMD5
	case len(fields) >= 4 && (fields[1] == "5" || fields[1] == "6"):
		_, rounds, _, ok := shaParts(text)
		want, each := 43, 300*time.Nanosecond
		h.Scheme = "SHA-256"
		if fields[1] == "6" {
			h.Scheme, want, each = "SHA-512", 86, 600*time.Nanosecond
		}
		if sum := fields[len(fields)-1]; !ok || len(sum) != want || !plain(sum) {
			return Hash{}, ErrUnknown
		}
		h.Cost, h.verify = time.Duration(rounds)*each, verifySHA
	case len(text) == 60 && len(fields) == 4 && (fields[1] == "2a" || fields[1] == "2b" || fields[1] == "2y"):
		cost, err := strconv.Atoi(fields[2])
		if err != nil || cost < bcrypt.MinCost || cost > 20 || !plain(fields[3]) {
			return Hash{}, ErrUnknown
		}
		h.Scheme, h.Cost, h.verify = "bcrypt", 60*time.Microsecond<<cost, verifyBcrypt
	case len(fields) == 5 && fields[1] == "y" && len(fields[4]) == 43 && plain(fields[4]):
		p, err := yescryptParams(text)
		if err != nil {
			return Hash{}, ErrUnknown
		}
		h.Scheme, h.Cost, h.verify = "yescrypt", time.Duration(p.n*p.r)*600*time.Nanosecond, verifyYescrypt
	default:
		return Hash{}, ErrUnknown
	}
	return h, nil
}

// plain says whether a text has none but the letters in which hashes are written.
func plain(s string) bool { return s != "" && strings.Trim(s, letters) == "" }

// Opens says whether the hash is that of the password.
func (h Hash) Opens(password string) bool { return h.verify(h.text, password) }

func verifyBcrypt(text, password string) bool {
	if len(password) > 72 {
		password = password[:72] // as bcrypt itself cuts it
	}
	return bcrypt.CompareHashAndPassword([]byte("$2a"+text[3:]), []byte(password)) == nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// encode writes bytes in the order that is given, three to four letters, the lowest bits first. Minus one is a byte of zeros.
func encode(sum []byte, order []int) string {
	var out bytes.Buffer
	at := func(i int) uint {
		if i < 0 {
			return 0
		}
		return uint(sum[i])
	}
	for ; len(order) > 0; order = order[3:] {
		v := at(order[0])<<16 | at(order[1])<<8 | at(order[2])
		n := 4
		if order[0] < 0 {
			n = 3
		}
		if order[1] < 0 {
			n = 2
		}
		for range n {
			out.WriteByte(letters[v&63])
			v >>= 6
		}
	}
	return out.String()
}
