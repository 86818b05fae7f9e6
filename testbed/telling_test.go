package testbed

import (
	"testing"

	"github.com/shakedown-test/shakedown/product"
)

func TestTelling(t *testing.T) {
	for _, tc := range []struct {
		effect product.Effect
		want   bool
	}{
		{product.Effect{Console: "applied {token}"}, true},
		{product.Effect{Console: "applied"}, false},
		{product.Effect{Topic: "d/{id}/done/{n}", When: "true"}, true},
		{product.Effect{Topic: "d/{id}/done", When: "true"}, false},
		{product.Effect{Topic: "d", When: "payload.id == token"}, true},
		{product.Effect{Topic: "d", When: "payload.n == 1"}, false},
		{product.Effect{Topic: "d", When: "payload.n >= n"}, true},
		{product.Effect{Topic: "d", When: "n<=payload.target"}, true},
		{product.Effect{Topic: "d", When: `payload.kind == "token"`}, false},
	} {
		d := &Device{command: &commandShape{Command: product.Command{Effect: tc.effect}}}
		if got := d.Telling(); got != tc.want {
			t.Errorf("%+v: %v", tc.effect, got)
		}
	}
	if (&Device{}).Telling() {
		t.Error("no command, yet it tells")
	}
}
