//go:build unix && !linux

package driver

import "syscall"

// groupAttr puts the program into a group of its own.
func groupAttr(*syscall.SysProcAttr) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// groupEmpty tells whether the group has no members, zombies included.
func groupEmpty(group int) bool { return syscall.Kill(-group, 0) != nil }
