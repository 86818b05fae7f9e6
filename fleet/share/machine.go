package share

import (
	"bytes"
	"os"
)

// machine is the same text for all processes that share a clock: on Linux, the number of the boot. Elsewhere it is the name of the host.
func machine() string {
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		return string(bytes.TrimSpace(id))
	}
	name, _ := os.Hostname()
	return name
}
