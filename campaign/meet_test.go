package campaign

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

func TestMeet(t *testing.T) {
	tests := []struct {
		name         string
		needs        check.Needs
		change       func(*product.Product)
		outcome      evidence.Outcome
		reason, hint string
		missing      []string
	}{
		{name: "all is there", needs: check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0", Can: []product.Capability{product.Restart}}},
		{
			name: "no such part", needs: check.Needs{Real: product.App},
			outcome: evidence.NotApplicable, reason: "the product file names no app",
		},
		{
			name: "a stand-in", needs: check.Needs{Real: product.Cloud},
			outcome: evidence.NotApplicable, reason: `cloud "sky" is a stand-in here`, hint: `give "sky" a driver, so that the real one is tested`,
		},
		{
			name: "another protocol", needs: check.Needs{Real: product.Device, Speaks: product.TLS},
			outcome: evidence.NotApplicable, reason: `device "lamp" has no link that speaks tls`,
		},
		{
			name: "another version", needs: check.Needs{Real: product.Device, Version: "3.1.1"},
			outcome: evidence.NotApplicable, reason: `device "lamp" speaks MQTT 5.0; this is about MQTT 3.1.1`,
		},
		{
			name: "a version that is not told", needs: check.Needs{Real: product.Device, Version: "3.1.1"},
			change: func(p *product.Product) { p.Parts[0].MQTT = nil },
		},
		{
			name: "a driver that cannot", needs: check.Needs{Real: product.Device, Can: []product.Capability{product.Restart, product.PowerCut}},
			outcome: evidence.NotRun, reason: `the plug driver of "lamp" cannot do power.cut`,
			hint: `give "lamp" a control program that offers power.cut (control: and can: in the product file)`,
		},
		{
			name: "a control program that can", needs: check.Needs{Real: product.Device, Can: []product.Capability{product.PowerCut}},
			change: func(p *product.Product) { p.Parts[0].Can = []product.Capability{product.PowerCut} },
		},
		{
			name: "undeclared", needs: check.Needs{Real: product.Device, Declares: []string{"keep_alive", "command"}},
			outcome: evidence.NotRun, reason: "not declared: keep_alive, command",
			hint: "declare keep_alive, command in the product file; see docs/product-file.md", missing: []string{"keep_alive", "command"},
		},
		{
			name: "too few identities", needs: check.Needs{Real: product.Device, Clients: 2},
			outcome: evidence.NotRun, reason: `"lamp" has 1 of the 2 test identities that this takes`, hint: `list 2 test identities under clients: of "lamp"`,
		},
		{name: "enough identities", needs: check.Needs{Real: product.Device, Clients: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, _ := plugged(0)
			o.Product.Parts[0].MQTT = &product.MQTTPart{Version: "5.0"}
			o.Product.Parts[0].Clients = []product.Client{{ID: "one"}}
			o.Product.Parts = append(o.Product.Parts, product.Part{Name: "sky", Role: product.Cloud, Driver: product.StandIn})
			kind := o.Kinds["plug"]
			kind.Can = []product.Capability{product.Restart}
			o.Kinds["plug"] = kind
			if tt.change != nil {
				tt.change(o.Product)
			}
			outcome, reason, hint, missing := meet(o, &check.Check{ID: "fault.a", Needs: tt.needs})
			if outcome != tt.outcome || reason != tt.reason || hint != tt.hint || !cmp.Equal(missing, tt.missing) {
				t.Errorf("%q, %q, %q, %v", outcome, reason, hint, missing)
			}
		})
	}
}

func TestSelection(t *testing.T) {
	tests := []struct {
		name             string
		only, skip, risk []string
		want, says, err  string
	}{
		{name: "everything", want: "fault.a fault.a-b ota.a"},
		{name: "an id with what begins with it", only: []string{"fault.a"}, want: "fault.a fault.a-b", says: "--only fault.a"},
		{name: "a risk's beginning", only: []string{"fault."}, want: "fault.a fault.a-b", says: "--only fault."},
		{name: "without a part", only: []string{"fault", "ota"}, skip: []string{"fault.a-b"}, want: "fault.a ota.a", says: "--only fault --only ota --skip fault.a-b"},
		{name: "a risk", risk: []string{"ota"}, want: "ota.a", says: "--risk ota"},
		{name: "a risk without its only check", risk: []string{"ota"}, skip: []string{"ota.a"}, want: "", says: "--risk ota --skip ota.a"},
		{name: "half a word", only: []string{"fau"}, err: `no check is called "fau"`},
		{name: "nothing to skip", skip: []string{"fault.x"}, err: `no check is called "fault.x"`},
		{name: "no such risk", risk: []string{"oat"}, err: `no risk is called "oat"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, _ := plugged(0, &check.Check{ID: "fault.a"}, &check.Check{ID: "fault.a-b"})
			o.Risks = append(o.Risks, check.Risk{ID: "ota", Checks: []*check.Check{{ID: "ota.a", Needs: check.Needs{Real: product.Device}}}})
			o.Only, o.Skip, o.Risk = tt.only, tt.skip, tt.risk
			plan, err := Plan(o, noon)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "\nhint: ") {
					t.Errorf("error %v", err)
				}
				return
			}
			var ids []string
			for _, j := range plan.Jobs {
				ids = append(ids, j.Check)
			}
			if got := strings.Join(ids, " "); err != nil || got != tt.want || plan.Selection != tt.says {
				t.Errorf("%v, %q, %q", err, got, plan.Selection)
			}
		})
	}
}
