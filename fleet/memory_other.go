//go:build !linux

package fleet

import "runtime"

// Memory is how much memory this process holds, in bytes, as far as it is known.
func Memory() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.Sys)
}
