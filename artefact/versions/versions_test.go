package versions

import (
	"slices"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		scheme Scheme
		order  []string // each before the next
	}{
		{Upstream, []string{"0.9.8zh", "1.0.1", "1.0.1a", "1.0.1f", "1.0.1g", "1.0.2-beta1", "1.0.2", "1.0.2k", "1.0.2z", "1.0.2za", "1.0.2zg", "1.1.0", "1.1.1w", "3.0.0-alpha1", "3.0.0", "3.0.12", "10.0"}},
		{Upstream, []string{"2020.81", "2021.01-rc3", "2021.01", "2021.10", "2022.83"}},
		{Upstream, []string{"1.9.5", "1.9.5p1", "1.9.5p2", "1.9.17", "1.9.17p1"}},
		{Upstream, []string{"4.3", "4.3.25", "4.3.30", "4.4"}},
		{Upstream, []string{"6.12-rc1", "6.12", "6.12.40"}},
		{SemVer, []string{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0"}},
		{Debian, []string{"1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-1.1", "1.0a-1", "1.0+git1-1", "1.1-1", "1:0.1-1"}},
		{Debian, []string{"3.0.2-0ubuntu1", "3.0.2-0ubuntu1.10", "3.0.11-1~deb12u1", "3.0.11-1~deb12u2", "3.0.11-1"}},
		{Alpine, []string{"1.2_alpha1-r0", "1.2_rc1-r0", "1.2-r0", "1.2-r1", "1.2-r10", "1.2_p1-r0", "1.2.1-r0"}},
		{Python, []string{"1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"}},
	} {
		for i := range c.order {
			for j := range c.order {
				got, want := c.scheme.Compare(c.order[i], c.order[j]), sign(i-j)
				if got != want {
					t.Errorf("%s: %s against %s is %d, want %d", c.scheme, c.order[i], c.order[j], got, want)
				}
			}
		}
	}
	for _, c := range [][2]string{{"1.0", "1.0.0"}, {"v1.2", "1.2.0"}, {"01.2", "1.2"}} {
		if Upstream.Compare(c[0], c[1]) != 0 || SemVer.Compare(c[0], c[1]) != 0 && c[0] != "01.2" {
			t.Errorf("%s is not %s", c[0], c[1])
		}
	}
}

func TestRange(t *testing.T) {
	r := Range{From: "1.0.1", Before: "1.0.1g"}
	for v, want := range map[string]bool{"1.0.0t": false, "1.0.1": true, "1.0.1f": true, "1.0.1g": false, "1.0.2": false} {
		if r.Holds(Upstream, v) != want {
			t.Errorf("%s: %v", v, !want)
		}
	}
	if !(Range{From: "0", Last: "2"}).Holds(SemVer, "2.0.0") || (Range{Last: "2"}).Holds(SemVer, "2.0.1") || !(Range{}).Holds(SemVer, "9") {
		t.Error("ends of ranges are wrong")
	}
}

// An order is one: what is before is not after, and sorting ends.
func FuzzCompare(f *testing.F) {
	for _, s := range []string{"", "1.0", "1:2-3", "1.0~rc1", "z", "9999999999999999999999", "-", "1.0.2zg", "1..2"} {
		f.Add(s, "1.0", "2.0-1")
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, s := range []Scheme{Upstream, SemVer, Debian, Alpine, Python} {
			if s.Compare(a, a) != 0 {
				t.Fatalf("%s: %q is not itself", s, a)
			}
			if x, y := s.Compare(a, b), s.Compare(b, a); x != -y || x < -1 || x > 1 {
				t.Fatalf("%s: %q and %q are %d and %d", s, a, b, x, y)
			}
			list := []string{a, b, c}
			slices.SortFunc(list, s.Compare)
		}
	})
}
