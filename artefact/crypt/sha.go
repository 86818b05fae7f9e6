package crypt

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strconv"
	"strings"
)

// shaParts reads the fields of $5$ and $6$.
func shaParts(text string) (salt string, rounds int, sum string, ok bool) {
	fields := strings.Split(text, "$")[2:]
	rounds = 5000
	if n, told := strings.CutPrefix(fields[0], "rounds="); told {
		v, err := strconv.Atoi(n)
		if err != nil || len(fields) < 3 {
			return "", 0, "", false
		}
		rounds = min(max(v, 1000), mostRounds)
		fields = fields[1:]
	}
	if len(fields) != 2 {
		return "", 0, "", false
	}
	return fields[0][:min(len(fields[0]), 16)], rounds, fields[1], true
}

// verifySHA is the algorithm of Ulrich Drepper ("Unix crypt using SHA-256 and SHA-512", 2007).
func verifySHA(text, password string) bool {
	salt, rounds, want, ok := shaParts(text)
	if !ok {
		return false
	}
	h, order := sha256.New(), orderSHA256
	if text[1] == '6' {
		h, order = sha512.New(), orderSHA512
	}
	sum := shaRounds(h, []byte(password), []byte(salt), rounds)
	return same(want, encode(sum, order))
}

func shaRounds(h hash.Hash, password, salt []byte, rounds int) []byte {
	size := h.Size()
	digest := func(parts ...[]byte) []byte {
		h.Reset()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	inner := digest(password, salt, password)
	parts := [][]byte{password, salt, repeat(inner, len(password))}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			parts = append(parts, inner)
		} else {
			parts = append(parts, password)
		}
	}
	sum := digest(parts...)
	p := repeat(digest(bytes.Repeat(password, len(password))), len(password))
	s := repeat(digest(bytes.Repeat(salt, 16+int(sum[0]))), len(salt))
	next := make([]byte, 0, size)
	for i := range rounds {
		h.Reset()
		turn(h, i, p, sum, s)
		next = h.Sum(next[:0])
		sum, next = next, sum
	}
	return sum
}

// repeat makes a text of n bytes of a sum.
func repeat(sum []byte, n int) []byte {
	return bytes.Repeat(sum, n/len(sum)+1)[:n]
}

// The orders in which the bytes are written.
var (
	orderSHA256 = []int{0, 10, 20, 21, 1, 11, 12, 22, 2, 3, 13, 23, 24, 4, 14, 15, 25, 5, 6, 16, 26, 27, 7, 17, 18, 28, 8, 9, 19, 29, -1, 31, 30}
	orderSHA512 = []int{
		0, 21, 42, 22, 43, 1, 44, 2, 23, 3, 24, 45, 25, 46, 4, 47, 5, 26, 6, 27, 48, 28, 49, 7, 50, 8, 29, 9, 30, 51, 31, 52, 10, 53, 11, 32, 12, 33, 54,
		34, 55, 13, 56, 14, 35, 15, 36, 57, 37, 58, 16, 59, 17, 38, 18, 39, 60, 40, 61, 19, 62, 20, 41, -1, -1, 63,
	}
)
