package environment

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/world/mdns"
)

const lampService, lampInstance = "_lamp._tcp.local.", "lamp._lamp._tcp.local."

var (
	lampAddr, otherAddr = netip.MustParseAddr("192.168.1.10"), netip.MustParseAddr("192.168.1.20")
	lampKnown           = &known{instance: lampInstance, host: "lamp.local.", addr: lampAddr}
)

// titled are the titles of findings, with their severities where they are not the check's own.
func titled(found []check.Finding) []string {
	var list []string
	for _, f := range found {
		title := f.Title
		if f.Severity != "" {
			title = string(f.Severity) + ": " + title
		}
		if f.Seen == "" || f.Expected == "" {
			title += " (nothing said of what was expected and seen)"
		}
		list = append(list, title)
	}
	return list
}

func says(sort mdns.Sort, records ...mdns.Record) said {
	return said{Packet: &mdns.Packet{Sort: sort, IPTTL: 255, Answers: records}}
}

func TestJudgeAnnounced(t *testing.T) {
	a := mdns.Record{Name: "lamp.local.", Type: "A", TTL: 120, Flush: true, Address: lampAddr}
	ptr := mdns.Record{Name: lampService, Type: "PTR", TTL: 4500, Target: lampInstance}
	good := says(mdns.Announcement, ptr, a)
	for name, c := range map[string]struct {
		a    announced
		want []string
	}{
		"good":       {announced{first: lampKnown, answered: true, now: otherAddr, again: &good, all: []said{good}}, nil},
		"not asked":  {announced{first: lampKnown, answered: true, all: []said{good}}, nil},
		"no word":    {announced{}, []string{"Is not to be found in its home network"}},
		"only asked": {announced{answered: true}, []string{"Does not announce its service when it joins its home network"}},
		"deaf":       {announced{first: lampKnown}, []string{"Does not answer when its service is asked for"}},
		"stale":      {announced{first: lampKnown, answered: true, now: otherAddr}, []string{"Does not announce its new address"}},
		"no flush, twice": {
			announced{first: lampKnown, answered: true, all: []said{
				says(mdns.Announcement, ptr, mdns.Record{Name: "lamp.local.", Type: "A"}), says(mdns.Announcement, mdns.Record{Name: "lamp.local.", Type: "A"}),
			}},
			[]string{"Announces its own records without the cache-flush bit"},
		},
		"flushes others": {
			announced{first: lampKnown, answered: true, all: []said{says(mdns.Announcement, mdns.Record{Name: lampService, Type: "PTR", Flush: true})}},
			[]string{"minor: Has others' records flushed"},
		},
		"IP TTL": {
			announced{first: lampKnown, answered: true, all: []said{{Packet: &mdns.Packet{Sort: mdns.Query, IPTTL: 1}}}},
			[]string{"minor: Sends multicast DNS with another IP TTL than 255"},
		},
	} {
		c.a.service = lampService
		if diff := cmp.Diff(c.want, titled(judgeAnnounced(c.a))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeRenamed(t *testing.T) {
	probe := said{Packet: &mdns.Packet{Sort: mdns.Probe}}
	mine := says(mdns.Announcement, mdns.Record{Name: "lamp.local.", Type: "A", TTL: 120, Address: lampAddr})
	gone := says(mdns.Goodbye, mdns.Record{Name: "lamp.local.", Type: "A", Address: lampAddr})
	second := &known{host: "lamp-2.local."}
	for name, c := range map[string]struct {
		f    renamed
		want []string
	}{
		"good":          {renamed{back: second, all: []said{probe, gone}, defended: true}, nil},
		"keeps it":      {renamed{back: lampKnown, all: []said{probe, mine, mine}}, []string{"Uses a name that a neighbour has"}},
		"does not ask":  {renamed{back: second, all: []said{says(mdns.Announcement)}, defended: true}, []string{"Takes a name without asking whether it is free"}},
		"falls silent":  {renamed{all: []said{probe}}, []string{"major: Is not to be found any more when its name is taken"}},
		"gives it away": {renamed{back: second, all: []said{probe}}, []string{"Does not defend its name"}},
	} {
		c.f.taken, c.f.by = "lamp.local.", otherAddr
		if diff := cmp.Diff(c.want, titled(judgeRenamed(c.f))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeGoodbye(t *testing.T) {
	service := says(mdns.Goodbye, mdns.Record{Name: lampService, Type: "PTR", Target: lampInstance})
	host := says(mdns.Goodbye, mdns.Record{Name: "lamp.local.", Type: "A"})
	other := says(mdns.Goodbye, mdns.Record{Name: lampService, Type: "PTR", Target: "other." + lampService})
	for name, c := range map[string]struct {
		all  []said
		want []string
	}{
		"good":       {[]said{host, service}, nil},
		"none":       {nil, []string{"Leaves its home network without goodbye"}},
		"host only":  {[]said{host}, []string{"Says goodbye to its host name, not to its service"}},
		"of another": {[]said{other}, []string{"Says goodbye to its host name, not to its service"}},
	} {
		if diff := cmp.Diff(c.want, titled(judgeGoodbye(c.all, lampService, lampInstance))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJudgeIdle(t *testing.T) {
	at := func(s int) said { return said{at: time.Unix(int64(s), 0)} }
	if found := judgeIdle([]said{at(0)}); found != nil {
		t.Errorf("once: %v", found)
	}
	if found := judgeIdle([]said{at(0), at(30), at(60)}); len(found) != 1 || found[0].Seen != "3 announcements, one every 30 s" {
		t.Errorf("every 30 s: %v", found)
	}
}

func TestHoldsAddress(t *testing.T) {
	home := netip.MustParsePrefix("192.168.1.1/24")
	for text, want := range map[string]bool{
		`{"address":"192.168.1.10","port":8443}`: true, "192.168.1.10:80": true,
		"192.168.1.1": false, "10.0.0.7": false, "192.168.1.1000": false, "": false, "1.192.168.1.10": false,
	} {
		if got := holdsAddress(text, home); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if found := judgeFallback("a/b", false, "{}"); len(found) != 1 {
		t.Errorf("not told: %v", found)
	}
	if found := judgeFallback("a/b", true, ""); found != nil {
		t.Errorf("told: %v", found)
	}
}

func TestKnownBy(t *testing.T) {
	s := says(mdns.Announcement, mdns.Record{Name: lampService, Type: "PTR", TTL: 9, Target: lampInstance},
		mdns.Record{Name: lampInstance, Type: "SRV", Target: "lamp.local."}, mdns.Record{Name: "lamp.local.", Type: "A", Address: lampAddr})
	if k, ok := knownBy(s, lampService); !ok || k.instance != lampInstance || k.host != "lamp.local." || k.addr != lampAddr {
		t.Errorf("%+v, %v", k, ok)
	}
	if _, ok := knownBy(says(mdns.Goodbye, mdns.Record{Name: lampService, Type: "PTR", Target: lampInstance}), lampService); ok {
		t.Error("a goodbye makes it known")
	}
}
