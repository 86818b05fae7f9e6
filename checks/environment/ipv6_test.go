package environment

import (
	"testing"
	"time"
)

func TestJudgeWithout4(t *testing.T) {
	const away, storm = "Does not come online in a network of IPv6 only", "Sends without a pause in a network of IPv6 only"
	for _, tt := range []struct {
		name string
		w    without4
		want string
	}{
		{"quiet", without4{over: time.Minute, most: 60, kind: "of DHCP"}, away},
		{"storm", without4{over: time.Minute, most: 61, kind: "of DHCP"}, away + "; " + storm},
		{"nothing at all", without4{over: time.Minute}, away},
	} {
		if got := titles(judgeWithout4(tt.w)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
