// Package accounts reads the account files of Unix-like systems: passwd(5) and shadow(5).
package accounts

import (
	"bytes"
	"strconv"
	"strings"
)

// Account is a line of passwd or shadow.
type Account struct {
	Name   string
	UID    int    // -1: shadow does not tell
	Shell  string // of passwd; empty is /bin/sh there
	Hash   string // what stands in the place of the password: a hash, empty, or something that nothing hashes to
	Shadow bool   // of shadow
	Line   int    // from 1
}

// Parse reads a file by the base of its name: "passwd", "shadow", and their backups with a hyphen behind. Lines of another form are
// passed over. At most 10,000 are read.
func Parse(name string, data []byte) (list []Account) {
	shadow := strings.TrimSuffix(name, "-") == "shadow"
	if !shadow && strings.TrimSuffix(name, "-") != "passwd" {
		return nil
	}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		field := strings.Split(strings.TrimRight(string(line), "\r\n"), ":")
		switch {
		case n > 10_000:
			return list
		case field[0] == "" || strings.HasPrefix(field[0], "#") || strings.ContainsAny(field[0], " \t"):
		case shadow && len(field) >= 8:
			list = append(list, Account{Name: field[0], UID: -1, Hash: field[1], Shadow: true, Line: n})
		case !shadow && len(field) == 7:
			if uid, err := strconv.ParseUint(field[2], 10, 32); err == nil {
				list = append(list, Account{Name: field[0], UID: int(uid), Shell: field[6], Hash: field[1], Line: n})
			}
		}
	}
	return list
}

// Login reports whether the shell lets somebody in.
func (a Account) Login() bool {
	switch a.Shell[strings.LastIndexByte(a.Shell, '/')+1:] {
	case "nologin", "false", "true", "sync", "halt", "shutdown":
		return false
	}
	return true
}
