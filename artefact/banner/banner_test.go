package banner

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	for text, want := range map[string][]Banner{
		"x\x00Linux version 2.6.36 (root@b) (gcc version 4.6.3 (Buildroot 2012.11.1) ) #8 SMP Thu Mar 5 10:01:02 CST 2015\n": {{"Linux", "2.6.36", time.Date(2015, 3, 5, 10, 1, 2, 0, time.UTC), 2}},
		"Linux version 6.1.0-25-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld) #1 SMP PREEMPT_DYNAMIC Debian 6.1.106-3 (2024-08-26)\n": {
			{"Linux", "6.1.0", time.Date(2024, 8, 26, 0, 0, 0, 0, time.UTC), 0},
		},
		"Linux version 5.15.134 (builder@buildhost) (mips-openwrt-linux-musl-gcc (OpenWrt GCC 12.3.0) 12.3.0) #0 Mon Oct 9 21:45:35 2023\n": {
			{"Linux", "5.15.134", time.Date(2023, 10, 9, 21, 45, 35, 0, time.UTC), 0},
		},
		"Linux version %s (%s)\x00Linux version 5 is out":                       nil,
		"U-Boot 2019.07-gabc (Jan 02 2020 - 03:04:05 +0000) x":                  {{"U-Boot", "2019.07", time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), 0}},
		"U-Boot 1.1.3 (Aug  4 2015 - 10:11:12)":                                 {{"U-Boot", "1.1.3", time.Date(2015, 8, 4, 10, 11, 12, 0, time.UTC), 0}},
		"U-Boot SPL 2023.01+dfsg-2 (Jun 09 2023 - 12:00:00 +0000)\x00U-Boot is": {{"U-Boot", "2023.01", time.Date(2023, 6, 9, 12, 0, 0, 0, time.UTC), 0}},
	} {
		if diff := cmp.Diff(want, Find([]byte(text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("Linux version 2.6.36 (root@b) (gcc) #8 SMP Thu Mar 5 10:01:02 CST 2015\nU-Boot 1.1.3 (Aug  4 2015 - 10:11:12)"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, x := range Find(b) {
			if x.Version == "" || x.At >= int64(len(b)) {
				t.Errorf("%+v", x)
			}
		}
	})
}
