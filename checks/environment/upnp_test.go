package environment

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/upnp"
)

func mapped(outer, inner uint16) upnp.Mapping {
	return upnp.Mapping{Protocol: internet.TCP, External: outer, Client: netip.AddrPortFrom(lampAddr, inner)}
}

func api(m upnp.Mapping) bool { return m.Client.Port() == 8443 }

func TestJudgeExposed(t *testing.T) {
	for name, c := range map[string]struct {
		f    exposed
		want []string
	}{
		"none":         {exposed{}, nil},
		"as told":      {exposed{switched: true, after: []upnp.Mapping{mapped(8443, 8443)}}, nil},
		"by itself":    {exposed{before: []upnp.Mapping{mapped(8443, 8443)}}, nil},
		"not told":     {exposed{switched: true, before: []upnp.Mapping{mapped(8443, 8443)}}, []string{"Opens a port to the internet without being told"}},
		"telnet":       {exposed{switched: true, after: []upnp.Mapping{mapped(8443, 8443), mapped(2323, 23)}}, []string{"Opens its port 23 to the internet"}},
		"telnet twice": {exposed{before: []upnp.Mapping{mapped(2323, 23), mapped(23, 23)}}, []string{"Opens its port 23 to the internet"}},
	} {
		c.f.declared = api
		if diff := cmp.Diff(c.want, titled(judgeExposed(c.f))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeOpenShut(t *testing.T) {
	open := []upnp.Mapping{mapped(9443, 8443)}
	for name, c := range map[string]struct {
		f    openShut
		want []string
	}{
		"good":        {openShut{open: open}, nil},
		"never open":  {openShut{}, []string{"Does not open a port of a router"}},
		"another":     {openShut{open: []upnp.Mapping{mapped(23, 23)}}, []string{"Does not open a port of a router"}},
		"left open":   {openShut{open: open, after: open}, []string{"Leaves a port open of a router"}},
		"both at all": {openShut{after: open}, []string{"Does not open a port of a router", "Leaves a port open of a router"}},
	} {
		c.f.declared, c.f.how = api, " of a router"
		if diff := cmp.Diff(c.want, titled(judgeOpenShut(c.f))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeRenewal(t *testing.T) {
	for name, c := range map[string]struct {
		r    renewal
		want []string
	}{
		"good":      {renewal{lease: time.Hour, waited: true, kept: true, restored: true}, nil},
		"long":      {renewal{lease: 24 * time.Hour}, nil},
		"for ever":  {renewal{}, []string{"Asks for a port that stays open for ever"}},
		"too long":  {renewal{lease: 8 * 24 * time.Hour}, []string{"Asks for a longer lease than there is"}},
		"ends":      {renewal{lease: time.Hour, waited: true}, []string{"Does not renew the lease of its port"}},
		"forgotten": {renewal{lease: time.Hour, waited: true, kept: true}, []string{"Does not open its port again that the router forgot"}},
	} {
		if diff := cmp.Diff(c.want, titled(judgeRenewal(c.r))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeRequests(t *testing.T) {
	for name, c := range map[string]struct {
		found []check.Finding
		want  int
	}{
		"few searches":  {judgeSearches(30, nil), 0},
		"many searches": {judgeSearches(31, []evidence.Event{{N: 3}}), 1},
		"few requests":  {judgeRefusal(refusal{code: 718, requests: 10}), 0},
		"many requests": {judgeRefusal(refusal{code: 718, requests: 11}), 1},
		"no visit":      {judgeVisits(0, netip.AddrPort{}), 0},
		"a visit":       {judgeVisits(1, netip.AddrPort{}), 1},
	} {
		if len(c.found) != c.want {
			t.Errorf("%s: %v", name, titled(c.found))
		}
	}
}

func TestCalls(t *testing.T) {
	events := []evidence.Event{
		{Kind: evidence.In, Data: &upnp.Call{Action: "AddPortMapping", Lease: time.Minute}},
		{Kind: evidence.Out, Data: &upnp.Call{Action: "AddPortMapping"}},
		{Kind: evidence.In, Data: &upnp.Search{}},
		{Kind: evidence.In, Data: &upnp.Call{Action: "GetStatusInfo"}},
	}
	if n, s := len(adding(events)), searches(events); n != 1 || s != 1 {
		t.Errorf("%d requests and %d searches", n, s)
	}
	if all := leases(events); len(all) != 1 || all[0] != time.Minute {
		t.Errorf("leases %v", all)
	}
}
