package fleet

import (
	"bytes"
	"os"
	"strconv"
)

// Memory is how much of the machine's memory this process holds, in bytes: proc(5), the second number of statm.
func Memory() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(string(f[1]))
	return pages * os.Getpagesize()
}
