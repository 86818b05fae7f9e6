package fleet

import (
	"bytes"
	"os"
	"strconv"
)

// Memory is how much of the machine's memory this process holds for itself, in bytes, without pages of files, which the system can take away:
// proc(5), the second number of statm less the third.
func Memory() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 3 {
		return 0
	}
	resident, _ := strconv.Atoi(string(f[1]))
	file, _ := strconv.Atoi(string(f[2]))
	return (resident - file) * os.Getpagesize()
}
