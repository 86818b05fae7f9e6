//go:build !linux

package fleet

// trim is for systems that say which pages of a program file a process holds.
func trim() {}
