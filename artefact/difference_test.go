package artefact

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	status := func(v string) string {
		return "Package: zlib\nVersion: " + v + "\nStatus: install user installed\n"
	}
	old := examined(t, archived("etc/passwd", "root:x:0:0::/root:/bin/sh\n", "usr/lib/opkg/status", status("1.2.11-1"), "etc/gone", "x"))
	now := examined(t, archived("etc/passwd", "root:x:0:0::/root:/bin/sh\nsupport:x:0:0::/:/bin/sh\n", "usr/lib/opkg/status", status("1.3.1-1"), "etc/new", "x"))
	d := Compare(old, now)
	var got []string
	for _, s := range d.Sections {
		got = append(got, fmt.Sprintf("%s %v %v %v", s.What, s.Gained, s.Lost, s.Changed))
	}
	if diff := cmp.Diff([]string{"accounts [support] [] []", "components [] [] [zlib 1.2.11-1 → 1.3.1-1]"}, got); diff != "" || d.Added != 1 || d.Removed != 1 || d.Changed != 2 {
		t.Errorf("%s %+v", diff, d)
	}
	if same := Compare(now, now); len(same.Sections) > 0 || same.Added+same.Removed+same.Changed > 0 {
		t.Errorf("against itself: %+v", same)
	}
}
