package join

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
)

// mappings are the ids of a program's user namespace. Root keeps its ids, so that programs that change to a user of their own can. An
// ordinary user is root there, and nobody else: a user may map no more than itself.
func mappings() (users, groups []syscall.SysProcIDMap, setgroups bool) {
	if os.Geteuid() == 0 {
		users, groups = own("/proc/self/uid_map"), own("/proc/self/gid_map")
		if len(users) > 0 && len(groups) > 0 {
			return users, groups, true
		}
	}
	return []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}, []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}, false
}

// own are all ids that we have ourselves, each mapped to itself: user_namespaces(7).
func own(name string) (all []syscall.SysProcIDMap) {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var inside, outside, size int
		if _, err := fmt.Sscan(lines.Text(), &inside, &outside, &size); err == nil {
			all = append(all, syscall.SysProcIDMap{ContainerID: inside, HostID: inside, Size: size})
		}
	}
	return all
}
