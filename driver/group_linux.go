package driver

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// groupAttr, added to what else there is, puts the program into a group of its own, and has the kernel kill it if Shakedown dies without a chance to do so. The
// kernel does that for the program alone, not for its children.
func groupAttr(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Setpgid, a.Pdeathsig = true, syscall.SIGKILL
	return a
}

// groupEmpty tells whether nothing runs in the group. Zombies do not count: in a container without an init they stay for ever.
func groupEmpty(group int) bool {
	if syscall.Kill(-group, 0) != nil {
		return true
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return false
	}
	for _, name := range stats {
		stat, err := os.ReadFile(name) // it fails when the process has ended meanwhile
		if err != nil {
			continue
		}
		// proc_pid_stat(5): pid (name) state ppid pgrp …; the name can hold anything.
		f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(f) > 2 && string(f[2]) == strconv.Itoa(group) && f[0][0] != 'Z' && f[0][0] != 'X' {
			return false
		}
	}
	return true
}
