package environment

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/mdns"
)

// MdnsAnnounce has a device join its home network, and then gives it another address there.
var MdnsAnnounce = &check.Check{
	ID:    "environment.mdns-announce",
	Title: "Announces itself in its home network, and again when its address changes",
	Why: "The router gives the device another address in the night, and the app says in the morning that it is gone. " +
		"It is found again when someone pulls its plug.",
	Pass: "the declared service is announced within 5 s of the first connection and, with the new address, of a change of the address; " +
		"it is told when asked for; records that only this device has carry the cache-flush bit, the shared one does not; every packet has IP TTL 255",
	Fix:          "tell the multicast DNS library of every new address; announce twice, a second apart, with the cache-flush bit",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.mdns.announce"},
	Sources:      []string{"RFC 6762, sections 8.3, 8.4, 10.2 and 11", "github.com/pcmarks/mdns_lite issue 67", "github.com/home-assistant/landingpage issue 190", "limit of 5 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"service"}, World: true},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        10 * time.Minute,
	Run:          mdnsAnnounce,
}

// announced is how a device told of itself.
type announced struct {
	service  string
	first    *known        // nil: it did not announce the service
	answered bool          // it told the service when asked for it
	now      netip.Addr    // the new address; the zero Addr: it was given none
	again    *said         // what it announced with it; nil: nothing
	took     time.Duration // of again
	all      []said
	changed  int // number of the event after which the address was another
}

func mdnsAnnounce(ctx context.Context, t *check.T) error {
	r, _, err := t.Neighbour()
	if err != nil {
		return err
	}
	t.Step("power on, and listen to what it says in its home network")
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	a := announced{service: local(t)}
	k, ok, err := awaitKnown(ctx, t, 0, announceWithin+slack(t))
	if err != nil {
		return err
	}
	if ok {
		a.first = &k
	}
	if err := t.Clock.Sleep(ctx, 4*time.Second); err != nil { // its announcements are over then
		return err
	}
	t.Step("ask for %s", a.service)
	if _, a.answered, err = answers(ctx, t, r, a.service, dns.TypePTR); err != nil {
		return err
	}
	var cannot error
	if a.first != nil {
		if err := t.Clock.Sleep(ctx, 6*time.Second); err != nil { // so that what follows is not taken for an answer
			return err
		}
		a.changed = t.Log.Len()
		if a.now, err = t.Device.Readdress(); errors.Is(err, driver.ErrCannot) {
			cannot = check.NotRun("the address of a process in a network of its own can be changed unless it says dhcp: true under local:", "%v", err)
		} else if err != nil {
			return err
		} else if err := a.awaitNew(ctx, t); err != nil {
			return err
		}
	}
	a.all = saidIn(t.Log.Since(0))
	t.Find(judgeAnnounced(a)...)
	return cannot
}

// awaitNew waits for the announcement of the new address.
func (a *announced) awaitNew(ctx context.Context, t *check.T) error {
	t.Step("its address is %s now: wait for the announcement", a.now)
	start := t.Clock.Now()
	s, ok, err := awaitSaid(ctx, t, a.changed, announceWithin+slack(t), func(s said) bool {
		if s.Sort != mdns.Announcement && s.Sort != mdns.Answer {
			return false
		}
		for _, r := range s.Answers {
			if r.Address == a.now {
				return true
			}
		}
		return false
	})
	if ok {
		a.again, a.took = &s, s.at.Sub(start)
		t.MeasureTime("change of the address to its announcement", a.took, "<= 5 s")
	}
	return err
}

func judgeAnnounced(a announced) []check.Finding {
	var found []check.Finding
	switch {
	case a.first == nil && a.answered:
		found = append(found, check.Finding{
			Title:    "Does not announce its service when it joins its home network",
			Expected: "an announcement of " + a.service + " with the name, port and address of an instance within 5 s of being online",
			Seen:     "none, although it answers when it is asked",
		})
	case a.first == nil:
		found = append(found, check.Finding{
			Title:    "Is not to be found in its home network",
			Expected: "an announcement of " + a.service + " within 5 s of being online, and an answer to a question for it",
			Seen:     fmt.Sprintf("neither, among %d packets of multicast DNS", len(a.all)),
		})
	case !a.answered:
		found = append(found, check.Finding{
			Title:    "Does not answer when its service is asked for",
			Expected: "an answer to one of three questions for " + a.service,
			Seen:     "none; it announced " + a.first.instance,
		})
	}
	if a.now.IsValid() && a.again == nil {
		found = append(found, check.Finding{
			Title:    "Does not announce its new address",
			Expected: fmt.Sprintf("an announcement of %s within 5 s of the change", a.now),
			Seen:     "none; it announced " + a.first.addr.String() + " before",
			Evidence: check.Range(a.changed, a.changed+1<<20, "from the change on"),
		})
	}
	return append(found, judgeForm(a.all, a.service)...)
}

// judgeForm looks at the form of all that was said; each mistake is found once.
func judgeForm(all []said, service string) []check.Finding {
	var found []check.Finding
	once := map[string]bool{}
	add := func(s said, f check.Finding) {
		if !once[f.Title] {
			once[f.Title] = true
			f.Evidence = about(s)
			found = append(found, f)
		}
	}
	for _, s := range all {
		if s.IPTTL != mdns.TTL && s.IPTTL != 0 {
			add(s, check.Finding{
				Severity: check.Minor, Title: "Sends multicast DNS with another IP TTL than 255",
				Expected: "IP TTL 255 (RFC 6762, section 11): older listeners drop other packets", Seen: fmt.Sprintf("IP TTL %d in the %s", s.IPTTL, s.Sort),
			})
		}
		if s.Sort != mdns.Announcement {
			continue
		}
		for _, r := range s.Answers {
			unique := r.Type == "A" || r.Type == "SRV" || r.Type == "TXT"
			switch {
			case unique && !r.Flush:
				add(s, check.Finding{
					Title:    "Announces its own records without the cache-flush bit",
					Expected: "the cache-flush bit in records that only this device has (RFC 6762, section 10.2), so that its old address is forgotten",
					Seen:     fmt.Sprintf("%s %s without it", r.Name, r.Type),
				})
			case r.Flush && r.Type == "PTR" && r.Name == service:
				add(s, check.Finding{
					Severity: check.Minor, Title: "Has others' records flushed",
					Expected: "no cache-flush bit in the record that all devices of the service share (RFC 6762, section 10.2)",
					Seen:     r.Name + " PTR with it",
				})
			}
		}
	}
	return found
}
