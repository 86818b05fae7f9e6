//go:build !linux

package fleet

import "runtime"

// memory is how much memory this process holds, in bytes, as far as it is known.
func memory() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.Sys)
}
