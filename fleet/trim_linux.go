package fleet

import (
	"bufio"
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// trim gives back, once, what was only needed to start and to connect: the heap, and the pages of the program file, most of which are touched
// when packages are initialised and never again. What is needed after all comes back from the page cache.
var trim = sync.OnceFunc(func() {
	debug.FreeOSMemory() // what was read and parsed
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range untouched(maps, program) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m[0], m[1]-m[0], unix.MADV_DONTNEED) // where the system does not want to, they stay
	}
})

// untouched gives the mappings of a file that nobody can write and that hold no page of their own, from where to where, as in smaps of
// proc_pid_smaps(5): a loader that has relocated addresses in one has written to it before.
func untouched(smaps []byte, file string) (all [][2]uintptr) {
	var at [2]uintptr
	chosen := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) >= 5 && strings.Contains(f[0], "-") {
			from, to, _ := strings.Cut(f[0], "-")
			a, err1 := strconv.ParseUint(from, 16, 64)
			b, err2 := strconv.ParseUint(to, 16, 64)
			at, chosen = [2]uintptr{uintptr(a), uintptr(b)}, err1 == nil && err2 == nil && len(f) == 6 && f[5] == file && strings.HasPrefix(f[1], "r-") && f[1][3] == 'p'
		}
		if chosen && len(f) >= 2 && f[0] == "Anonymous:" && f[1] == "0" {
			all = append(all, at)
		}
	}
	return all
}
