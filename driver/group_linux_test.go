package driver

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestPartDiesWithUs runs this test again as a process that starts a part, and kills that process.
func TestPartDiesWithUs(t *testing.T) {
	const marker = "DRIVER_TEST_STARTS_A_PART"
	if os.Getenv(marker) != "" {
		env, _ := runScript(t, `echo "up $$"; exec sleep 60`)
		pid := pidOf(t, env, 0, "up")
		runtime.GC() // idle threads may end now; the part must not
		fmt.Println("part", pid)
		select {}
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPartDiesWithUs$")
	cmd.Env = append(cmd.Environ(), marker+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	for in := bufio.NewScanner(out); in.Scan() && pid == 0; {
		if s := in.Text(); strings.HasPrefix(s, "part ") {
			_, _ = fmt.Sscanf(s, "part %d", &pid)
			break
		}
	}
	if pid == 0 || living(t, pid) == "" {
		t.Errorf("no part was started")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for looks := 0; looks < 300 && living(t, pid) != ""; looks++ {
		<-tick.C
	}
	gone(t, pid, "our own end")
}
