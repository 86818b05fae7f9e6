package product

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

var (
	roles          = []Role{Device, Gateway, Cloud, App, Integration, Firmware, Package, Contract, Endpoint}
	linkProtocols  = []Protocol{MQTT, MQTTS, WS, WSS, HTTP, HTTPS, COAP, COAPS}
	capabilities   = []Capability{PowerCut, Restart, ConsoleRead, Rejoin}
	offlineKeeps   = []string{"newest", "oldest"}
	mqttVersions   = []string{"3.1.1", "5.0"}
	maxSpeed       = 1000.0
	shareTolerance = 0.005
	counted        = []string{"offline_buffer", "max_command", "publish_budget"}
)

// rules applies what the types alone cannot say. Values that the decoder has refused already are zero, and are left alone here.
func (l *loader) rules() {
	l.partRules()
	l.linkRules()
	l.variantRules()
	l.declaredRules()
	l.profileRules()
	l.decisionRules()
	if l.product.Fleet != nil {
		l.fleetRules(l.product.Fleet, "fleet")
	}
}

// oneOf notes a value that is not among the valid ones.
func oneOf[T ~string](l *loader, path, what string, value T, valid []T) {
	if value == "" || slices.Contains(valid, value) {
		return
	}
	l.fault(path, fmt.Sprintf("unknown %s %s", what, short(string(value))), DidYouMean(string(value), texts(valid)))
}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

func (l *loader) partNames() []string {
	var out []string
	for _, p := range l.product.Parts {
		out = append(out, p.Name)
	}
	return out
}

func (l *loader) linkRules() {
	parts := l.partNames()
	names := map[string]bool{}
	for i, link := range l.product.Links {
		at := join("links", strconv.Itoa(i))
		oneOf(l, at+"/from", "part", link.From, parts)
		oneOf(l, at+"/to", "part", link.To, parts)
		if link.From != "" && link.From == link.To {
			l.fault(at+"/to", fmt.Sprintf("a link from %s to itself", short(link.From)), "name two parts")
		}
		if link.Protocol == TLS {
			l.fault(at+"/protocol", "tls alone does not say what the link carries", "write mqtts or https")
		} else {
			oneOf(l, at+"/protocol", "protocol", link.Protocol, linkProtocols)
		}
		if names[link.Name] {
			l.fault(at+"/name", fmt.Sprintf("a second link named %s", short(link.Name)), "give every link its own name")
		}
		names[link.Name] = link.Name != ""
	}
}

func (l *loader) variantRules() {
	names, sum := map[string]bool{}, 0.0
	complete := true
	for i, v := range l.product.Variants {
		at := join("variants", strconv.Itoa(i))
		if names[v.Name] {
			l.fault(at+"/name", fmt.Sprintf("a second variant named %s", short(v.Name)), "give every variant its own name")
		}
		names[v.Name] = v.Name != ""
		switch {
		case v.Share > 1:
			l.fault(at+"/share", fmt.Sprintf("a share of %.4g %%: no more than 100 %% can be", v.Share*100), "write a percentage with its sign, such as 70 %, or a fraction up to 1")
			complete = false
		case v.Share < 0:
			l.fault(at+"/share", "a share below 0 %", "write the part of all users that have this variant")
			complete = false
		case !l.has(at + "/share"): // the decoder has said so
			complete = false
		}
		for name := range v.Set {
			if got, rest := placeholderName(name); got == "" || rest != "" {
				l.fault(at+"/set/"+name, fmt.Sprintf("%s cannot be a placeholder", short(name)), "use letters, digits, dots, dashes and underscores, beginning with a letter")
			}
		}
		sum += v.Share
	}
	if complete && len(l.product.Variants) > 1 && math.Abs(sum-1) > shareTolerance {
		l.fault("variants", fmt.Sprintf("the shares add up to %.4g %%, not 100 %%", sum*100), "every user has exactly one variant; name the rest as a variant of its own")
	}
}

func (l *loader) declaredRules() {
	d := &l.product.Declared
	if l.has("declared/timers_speed") && (d.Speed <= 0 || d.Speed > maxSpeed) {
		l.fault("declared/timers_speed", fmt.Sprintf("timers cannot run %v times faster", d.Speed), "write a number above 0 and up to 1000, or delete the key")
	}
	oneOf(l, "declared/offline_keeps", "choice", d.OfflineKeeps, offlineKeeps)
	counts := map[string]int{"offline_buffer": d.OfflineBuffer, "max_command": d.MaxCommand, "publish_budget": d.PublishBudget}
	for _, key := range counted {
		if l.has("declared/"+key) && counts[key] <= 0 {
			l.fault("declared/"+key, key+" must be 1 or more", "leave the key out if nothing is promised")
		}
	}
}

func (l *loader) profileRules() {
	names := map[string]bool{}
	for i, n := range l.product.Networks {
		at := join("networks", strconv.Itoa(i))
		oneOf(l, at+"/profile", "network profile", n.Profile, l.known.Profiles)
		if names[n.Profile] {
			l.fault(at+"/profile", fmt.Sprintf("a second entry for %s", short(n.Profile)), "write one for each profile")
		}
		names[n.Profile] = n.Profile != ""
		if l.has(at+"/success") && (n.Success <= 0 || n.Success > 1) {
			l.fault(at+"/success", fmt.Sprintf("a success of %.4g %%", n.Success*100), "write a percentage above 0 % and up to 100 %")
		}
	}
}

// decisionRules is about accepted findings and excluded risks.
func (l *loader) decisionRules() {
	var variants []string
	for _, v := range l.product.Variants {
		variants = append(variants, v.Name)
	}
	if len(variants) == 0 {
		variants = []string{"default"}
	}
	for i, a := range l.product.Accepted {
		at := join("accepted", strconv.Itoa(i))
		oneOf(l, at+"/check", "check", a.Check, l.known.Checks)
		oneOf(l, at+"/variant", "variant", a.Variant, variants)
	}
	for i, e := range l.product.Exclude {
		oneOf(l, join("exclude", strconv.Itoa(i))+"/risk", "risk", e.Risk, l.known.Risks)
	}
	for i, s := range l.product.States {
		oneOf(l, join("states", strconv.Itoa(i))+"/requirement", "requirement", s.Requirement, l.known.Requirements)
	}
}
