package crypt

import (
	"crypto/md5"
	"strings"
)

// verifyMD5 is the algorithm of Poul-Henning Kamp (FreeBSD, 1994), with its variant of Apache.
func verifyMD5(text, password string) bool {
	fields := strings.Split(text, "$")
	magic, salt := "$"+fields[1]+"$", fields[2]
	salt = salt[:min(len(salt), 8)]
	inner := md5.Sum([]byte(password + salt + password))
	h := md5.New()
	h.Write([]byte(password + magic + salt))
	for n := len(password); n > 0; n -= 16 {
		h.Write(inner[:min(n, 16)])
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write([]byte{0})
		} else {
			h.Write([]byte(password[:1]))
		}
	}
	sum := h.Sum(nil)
	for i := range 1000 {
		h.Reset()
		turn(h, i, []byte(password), sum, []byte(salt))
		sum = h.Sum(sum[:0])
	}
	order := []int{0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, -1, -1, 11}
	return same(fields[3], encode(sum, order))
}

// turn is one of the rounds that MD5 and SHA have in common.
func turn(h interface{ Write([]byte) (int, error) }, i int, password, sum, salt []byte) {
	first, last := sum, password
	if i&1 != 0 {
		first, last = password, sum
	}
	_, _ = h.Write(first)
	if i%3 != 0 {
		_, _ = h.Write(salt)
	}
	if i%7 != 0 {
		_, _ = h.Write(password)
	}
	_, _ = h.Write(last)
}
