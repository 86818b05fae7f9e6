package evidence

import (
	"slices"
	"time"
)

// Load is what a fleet measured in front of a target. All times in it are in seconds.
type Load struct {
	Title   string    `json:"title" doc:"what this fleet was for"`
	Target  string    `json:"target" doc:"the endpoint, as a URL"`
	Shape   string    `json:"shape" doc:"how the load goes over time, such as reconnect-storm"`
	Devices int       `json:"devices" doc:"of the whole fleet"`
	Started time.Time `json:"started" doc:"wall time of second 0"`
	Seconds int       `json:"seconds" doc:"how long it ran, without the time in which the last messages could still arrive"`
	Shares  int       `json:"shares" doc:"loops, processes or machines that played it"`

	Every  int         `json:"every" doc:"seconds that one point stands for"`
	Points []LoadPoint `json:"points"`

	Totals    LoadCounts    `json:"totals" doc:"of the whole run, with what arrived after its end"`
	Latencies []LoadLatency `json:"latencies" doc:"of the whole run"`
	Errors    []LoadClass   `json:"errors" doc:"failures by their class, most frequent first"`
	Answers   []LoadClass   `json:"answers" doc:"how the other side answered, most frequent first"`
	Messages  LoadMessages  `json:"messages" doc:"the account of every single message"`
	Outages   []LoadOutage  `json:"outages,omitempty" doc:"each time that the fleet, or much of it, lost its connections"`
	Limits    []LoadLimit   `json:"limits"`

	Invalid  string       `json:"invalid,omitempty" doc:"why no latency may be believed"`
	OneWay   string       `json:"one_way,omitempty" doc:"why latencies between two machines may not be believed"`
	Own      LoadOwn      `json:"generator" doc:"Shakedown about itself"`
	Capacity LoadCapacity `json:"capacity" doc:"what was found by raising the load; without steps where that was not asked for"`
	Notes    []string     `json:"notes,omitempty" doc:"what else a reader must know"`
}

// LoadPoint is what some seconds brought. Counts are of all of them.
type LoadPoint struct {
	Second      int           `json:"second" doc:"its first, from the start"`
	Connected   int           `json:"connected" doc:"devices with a session, the lowest of its seconds"`
	Meant       int           `json:"devices" doc:"devices that were meant to have one"`
	Outstanding int           `json:"outstanding" doc:"messages and commands without their answer, the highest of its seconds"`
	Counts      LoadCounts    `json:"counts"`
	Latencies   []LoadLatency `json:"latencies,omitempty" doc:"of what was answered then; the worst of its seconds"`
	Errors      []LoadClass   `json:"errors,omitempty"`
	Answers     []LoadClass   `json:"answers,omitempty"`
}

// LoadCounts counts what a fleet did.
type LoadCounts struct {
	Attempts   uint64 `json:"attempts,omitempty" doc:"connections that were begun"`
	Accepted   uint64 `json:"accepted,omitempty"`
	Refused    uint64 `json:"refused,omitempty" doc:"answered with a refusal"`
	Broken     uint64 `json:"broken,omitempty" doc:"attempts that ended otherwise"`
	Dropped    uint64 `json:"dropped,omitempty" doc:"accepted connections that the other side ended"`
	Sent       uint64 `json:"sent,omitempty" doc:"messages written"`
	Acked      uint64 `json:"acked,omitempty" doc:"messages acknowledged"`
	Rejected   uint64 `json:"rejected,omitempty" doc:"messages answered with an error"`
	Withheld   uint64 `json:"withheld,omitempty" doc:"messages that were due and could not be sent"`
	Received   uint64 `json:"received,omitempty" doc:"messages that devices and the operator got"`
	Unanswered uint64 `json:"unanswered,omitempty" doc:"messages and commands that were still without an answer at the end"`
	BytesOut   uint64 `json:"bytes_out,omitempty"`
	BytesIn    uint64 `json:"bytes_in,omitempty"`
}

// LoadLatency is how long one kind of thing took, from the moment that was intended.
type LoadLatency struct {
	Timing     string  `json:"timing" doc:"connect, tls, ack, delivery, command, answer, or lag: how late the generator was"`
	Count      uint64  `json:"count"`
	Unanswered uint64  `json:"unanswered,omitempty" doc:"of these, those that ended without an answer and truly took longer"`
	Mean       float64 `json:"mean"`
	P50        float64 `json:"p50"`
	P90        float64 `json:"p90"`
	P99        float64 `json:"p99"`
	P999       float64 `json:"p999"`
	Max        float64 `json:"max"`
}

// LoadClass is how often something of one class happened.
type LoadClass struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// LoadMessages is what became of the numbered messages.
type LoadMessages struct {
	Numbered   bool     `json:"numbered" doc:"whether there is an account"`
	Watched    bool     `json:"watched" doc:"whether somebody received what was sent; otherwise what is below acked is not known"`
	Sent       uint64   `json:"sent"`
	Acked      uint64   `json:"acked"`
	Arrived    uint64   `json:"arrived" doc:"messages, however often each arrived"`
	Lost       uint64   `json:"lost" doc:"sent and not arrived"`
	LostAcked  uint64   `json:"lost_acked" doc:"lost although they were acknowledged"`
	Duplicates uint64   `json:"duplicates" doc:"arrivals of what had arrived"`
	Late       uint64   `json:"late" doc:"arrivals after a later message of the same stream"`
	Leaked     uint64   `json:"leaked" doc:"arrivals at another tenant"`
	Foreign    uint64   `json:"foreign" doc:"arrivals from another run"`
	Strange    uint64   `json:"strange" doc:"arrivals that nobody can have sent"`
	Void       uint64   `json:"void" doc:"sent to a device that lost its connection before they arrived, and for which nobody keeps them"`
	Unsent     uint64   `json:"unsent" doc:"arrivals of which the account of the sender is missing"`
	Examples   []string `json:"examples,omitempty" doc:"the first of each sort by stream and number, such as lost: 17/3"`
}

// LoadOutage is one loss of connections, and the return.
type LoadOutage struct {
	Second  int     `json:"second" doc:"from the start, when it began"`
	Devices int     `json:"devices" doc:"that lost their connection"`
	Away    int     `json:"away" doc:"of these, those that were not back at the end"`
	Back    float64 `json:"back" doc:"seconds until the last of those that came back was back"`
	Cause   string  `json:"cause"`
}

// LimitOutcome is how a declared limit compares with what was seen.
type LimitOutcome string

// The outcomes of limits. What is unknown was not held.
const (
	LimitHeld    LimitOutcome = "held"
	LimitBroken  LimitOutcome = "broken"
	LimitUnknown LimitOutcome = "unknown"
)

// LoadLimit is a declared limit.
type LoadLimit struct {
	Limit   string       `json:"limit" doc:"as declared, such as connect p99 < 5 s"`
	Outcome LimitOutcome `json:"outcome"`
	Seen    string       `json:"seen" doc:"what was seen, or why it is not known"`

	// Where the limit is one on a figure of a latency: which, and how much, for the plot.
	Timing  string  `json:"timing,omitempty" doc:"of a limit on a latency"`
	Seconds float64 `json:"seconds,omitempty" doc:"of a limit on a latency"`
}

// LoadOwn is what the fleet took of the machine that played it, and whether it kept its schedule.
type LoadOwn struct {
	Kept       bool    `json:"kept" doc:"whether it did in time what was due"`
	LagP99     float64 `json:"lag_p99" doc:"how late it did what was due"`
	LagMax     float64 `json:"lag_max"`
	CPU        float64 `json:"cpu_seconds"`
	Cores      int     `json:"cores" doc:"that it could use"`
	PerDevice  float64 `json:"bytes_per_device,omitempty" doc:"memory; 0: not measured"`
	Base       float64 `json:"base_bytes,omitempty" doc:"memory that does not depend on the devices; 0: not measured"`
	PerMessage float64 `json:"cpu_per_message,omitempty" doc:"seconds; 0: not measured"`
}

// LoadCapacity is the load up to which the limits held.
type LoadCapacity struct {
	Unit  string     `json:"unit,omitempty" doc:"of the load, such as devices or messages a second"`
	Knee  float64    `json:"knee,omitempty" doc:"the load up to which the limits held"`
	Low   float64    `json:"low,omitempty" doc:"of the interval in which the knee lies"`
	High  float64    `json:"high,omitempty" doc:"0: no limit broke up to the highest load that was tried"`
	Note  string     `json:"note,omitempty" doc:"how the interval was found"`
	Steps []LoadStep `json:"steps,omitempty" doc:"in the order in which they were tried"`
}

// LoadStep is one load that was tried.
type LoadStep struct {
	Offered float64      `json:"offered" doc:"in the unit of the capacity"`
	Reached float64      `json:"reached" doc:"what the other side took of it"`
	P99     float64      `json:"p99,omitempty" doc:"of the latency that the limits are about, in seconds; 0: not known"`
	Outcome LimitOutcome `json:"outcome"`
	Seen    string       `json:"seen"`
}

// Redacted is the load with what looks like a secret blanked in every text that comes from the user or from the other side.
func (l Load) Redacted() Load {
	l.Title, l.Target, l.Invalid, l.OneWay = Redact(l.Title), Redact(l.Target), Redact(l.Invalid), Redact(l.OneWay)
	l.Errors, l.Answers = redactedClasses(l.Errors), redactedClasses(l.Answers)
	l.Points, l.Outages, l.Limits, l.Notes = slices.Clone(l.Points), slices.Clone(l.Outages), slices.Clone(l.Limits), slices.Clone(l.Notes)
	for i := range l.Points {
		l.Points[i].Errors, l.Points[i].Answers = redactedClasses(l.Points[i].Errors), redactedClasses(l.Points[i].Answers)
	}
	for i := range l.Outages {
		l.Outages[i].Cause = Redact(l.Outages[i].Cause)
	}
	for i := range l.Limits {
		l.Limits[i].Seen = Redact(l.Limits[i].Seen)
	}
	for i := range l.Notes {
		l.Notes[i] = Redact(l.Notes[i])
	}
	l.Capacity.Note = Redact(l.Capacity.Note)
	l.Capacity.Steps = slices.Clone(l.Capacity.Steps)
	for i := range l.Capacity.Steps {
		l.Capacity.Steps[i].Seen = Redact(l.Capacity.Steps[i].Seen)
	}
	return l
}

// redactedClasses are classes with their names redacted.
func redactedClasses(list []LoadClass) []LoadClass {
	list = slices.Clone(list)
	for i := range list {
		list[i].Name = Redact(list[i].Name)
	}
	return list
}
