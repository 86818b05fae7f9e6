//go:build peers

package network

import (
	"os"
	"testing"

	"github.com/shakedown-test/shakedown/cli"
	"github.com/shakedown-test/shakedown/link/join"
)

// bench is a table with a cable on it: at one end shakedown net, at the other a device, which is another network namespace. The table is
// a namespace too, so that nothing of this machine is touched.
const bench = `ip link add bench type veth peer name port
	unshare -n sleep 100 & device=$!
	until [ "$(readlink /proc/$device/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
	NETWORK_TEST_BENCH=1 $SELF -test.run='^TestPhysicalDevice$' & router=$!
	until ip -d link show bench | grep -q 'promiscuity 1'; do sleep 0.1; done
	ip link set port netns $device
	nsenter -t $device -n sh -c 'ip link set port up; busybox udhcpc -f -q -n -t 5 -T 5 -i port -s /etc/udhcpc/default.script; curl -sS -m 15 http://hello.example/'
	kill -INT $router; wait $router; echo "net ends with $?"
	ip -d link show bench | grep -o 'promiscuity [0-9]*'
	kill $device`

// TestPhysicalDevice has a device behind an interface get its address and reach the world.
func TestPhysicalDevice(t *testing.T) {
	if os.Getenv("NETWORK_TEST_BENCH") != "" {
		sys := cli.OS()
		sys.Args = []string{"net", "--quiet", "--interface", "bench"}
		os.Exit(cli.Main(sys, nil))
	}
	if err := join.Available(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SELF", os.Args[0])
	b := open(t)
	compare(t, "device", run(t, b.Log, b.Place("table", true), t.TempDir(), bench))
}
