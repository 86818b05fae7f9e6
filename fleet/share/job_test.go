package share

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/product"
)

func usual() fleet.Job {
	f := product.DefaultFleet()
	f.Classes[0].Commands = []product.Answered{{Post: product.Post{Topic: "c/{id}"}, Every: product.Duration(time.Second), Answer: &product.Post{Topic: "a/{id}"}}}
	return fleet.Job{
		Target: fleet.Target{Scheme: product.MQTTS, Host: "localhost:8883", Path: "/", Name: "localhost", API: "http://localhost:8080"}, Fleet: f, To: f.Devices, Shape: "steady", For: time.Minute,
		Drain: time.Second, Settle: time.Second, Speed: 1, Seed: 7, Run: 9, Sources: []netip.Addr{netip.MustParseAddr("127.0.0.9")}, Watch: true,
	}
}

// TestJobTravels has every field of a job come out as it went in, whoever adds one, but for those that are of one process.
func TestJobTravels(t *testing.T) {
	t.Parallel()
	job := usual()
	job.Begin, job.Seq, job.Skew, job.Goroutine, job.From, job.Again, job.Notice = time.Second, 5, time.Millisecond, true, 1, true, "notice "
	v := reflect.ValueOf(job)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Open" && name != "Stop" {
			t.Errorf("%s is not set in this test", name)
		}
	}
	text, err := encode(job, true)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if got.Open = nil; !reflect.DeepEqual(got, job) {
		t.Errorf("got %+v\nwant %+v", got, job)
	}
}

// TestFiles has the files of identities come with the job, and no others.
func TestFiles(t *testing.T) {
	t.Parallel()
	job := usual()
	job.Fleet.Classes[0].Identity.CSV = "devices.csv"
	job.Open = func(name string) (io.ReadCloser, error) {
		if name != "devices.csv" {
			return nil, errors.New("another file")
		}
		return io.NopCloser(strings.NewReader("serial\nS1\n")), nil
	}
	text, err := encode(job, true)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := got.Open("devices.csv")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(r); string(b) != "serial\nS1\n" {
		t.Errorf("%q", b)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := got.Open(own); err == nil {
		t.Error("a job opens a file of this machine")
	}
	job.Fleet.Classes[0].Identity = product.Identity{Cert: "{n}.pem", Key: "{n}.key"}
	if _, err := encode(job, true); err == nil || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("a file for each device: %v", err)
	}
}

// hostile are changes of a job that an agent must not play.
var hostile = map[string]func(*fleet.Job){
	"no fleet":                func(j *fleet.Job) { j.Fleet = nil },
	"no classes":              func(j *fleet.Job) { j.Fleet.Classes = nil },
	"no tenants":              func(j *fleet.Job) { j.Fleet.Tenants = 0 },
	"a rate of nothing":       func(j *fleet.Job) { j.Fleet.Connects = 0 },
	"more devices than fit":   func(j *fleet.Job) { j.Fleet.Devices = 1 << 40 },
	"devices below zero":      func(j *fleet.Job) { j.Fleet.Devices = -1 },
	"more streams than fit":   func(j *fleet.Job) { j.Fleet.Devices, j.Fleet.Classes[0].Children = 10_000_000, 10_000 },
	"a message without pause": func(j *fleet.Job) { j.Fleet.Classes[0].Telemetry[0].Every = 0 },
	"a pause below zero":      func(j *fleet.Job) { j.Fleet.Classes[0].Telemetry[0].Every = -1 },
	"a command without pause": func(j *fleet.Job) { j.Fleet.Classes[0].Commands[0].Every = 0 },
	"qos 3":                   func(j *fleet.Job) { j.Fleet.Classes[0].Telemetry[0].QoS = 3 },
	"a size of gigabytes":     func(j *fleet.Job) { j.Fleet.Classes[0].Telemetry[0].Size = 1 << 40 },
	"a day of nothing":        func(j *fleet.Job) { j.Fleet.Classes[0].Telemetry[0].Day = make([]float64, 24) },
	"a shrinking back-off":    func(j *fleet.Job) { j.Fleet.Classes[0].Backoff = &product.Backoff{First: 1e9, Factor: -1, Cap: 1e9} },
	"a run without length":    func(j *fleet.Job) { j.For = 0 },
	"a run of ages":           func(j *fleet.Job) { j.For = 1 << 62 },
	"a source of nothing":     func(j *fleet.Job) { j.Sources = []netip.Addr{{}} },
	"certificates of nothing": func(j *fleet.Job) { j.Target.CA = []byte("no PEM") },
	"a clock of another time": func(j *fleet.Job) { j.Speed = -1 },
}

func TestHostileJobs(t *testing.T) {
	t.Parallel()
	for name, change := range hostile {
		job := usual()
		change(&job)
		text, err := json.Marshal(parcel{Job: job})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(text); err == nil {
			t.Errorf("%s: it would be played", name)
		}
	}
	for _, text := range []string{"", "{", "null", "[]", `{"job":{}}`, `{"job":null,"else":1}`, `{"job":{"Fleet":{}}} {}`} {
		if _, err := decode([]byte(text)); err == nil {
			t.Errorf("%s: it would be played", text)
		}
	}
}

// FuzzJob prepares what an agent takes: nothing that can be read may end the process, or hold it up.
func FuzzJob(f *testing.F) {
	for _, change := range hostile {
		job := usual()
		change(&job)
		text, _ := json.Marshal(parcel{Job: job})
		f.Add(text)
	}
	text, err := encode(usual(), true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		job, err := decode(text)
		if err != nil {
			return
		}
		streams, commands := fleet.Sources(job.Fleet)
		if streams < 0 || commands < 0 || streams+commands > maxStreams || fleet.Most(job, job.For) > 1<<27 {
			t.Errorf("%d streams, %d commands, %d messages", streams, commands, fleet.Most(job, job.For))
		}
		job.From, job.To, job.Watch = 0, min(3, job.Fleet.Devices), false
		job.Target.Host = "127.0.0.1:9"
		for i := range job.Fleet.Classes {
			if c := &job.Fleet.Classes[i]; len(c.Commands) > 0 {
				return // it would connect an operator
			}
		}
		if job.Fleet.Devices > 1000 {
			return
		}
		if r, err := fleet.Prepare(t.Context(), job); err == nil {
			r.Close()
		}
	})
}

// FuzzWords reads what agents and desks say.
func FuzzWords(f *testing.F) {
	f.Add([]byte(`{"n":1,"share":0,"slice":{"loop":0,"second":1,"slice":{"counts":{"sent":1}}}}`))
	f.Add([]byte(`{"n":1,"share":0,"ledger":{"of":1,"data":"AQ=="}}`))
	f.Add([]byte(`{"take":{"agent":"A","share":1,"from":0,"to":5,"begin":7}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var w word
		if read(text, &w) == nil && w.Ledger != nil {
			var p pieces
			_, _ = p.add(w.Ledger)
		}
		var o order
		if read(text, &o) == nil && o.Part != nil {
			var p pieces
			_, _ = p.add(o.Part)
		}
	})
}

func TestParts(t *testing.T) {
	t.Parallel()
	data := []byte(strings.Repeat("0123456789", partSize/4))
	var p pieces
	list := parts(data)
	for i, one := range list {
		whole, err := p.add(one)
		if err != nil || whole != (i == len(list)-1) {
			t.Fatalf("piece %d of %d: %v, %v", i+1, len(list), whole, err)
		}
	}
	if string(p.data) != string(data) {
		t.Error("it does not come out as it went in")
	}
	if _, err := p.add(list[0]); err == nil {
		t.Error("a piece too many is taken")
	}
}

func TestOneWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first, now offset
		want       string
	}{
		{offset{}, offset{}, ""},
		{offset{time.Hour, time.Millisecond}, offset{time.Hour + 3*time.Millisecond, time.Millisecond}, ""},
		{offset{0, 11 * time.Millisecond}, offset{}, "is known to ±11ms only"},
		{offset{0, time.Millisecond}, offset{-30 * time.Millisecond, time.Millisecond}, "moved by -30ms"},
		{offset{0, time.Millisecond}, offset{30 * time.Millisecond, 25 * time.Millisecond}, ""}, // it cannot be known
	} {
		if got := oneWay("agent", c.first, c.now); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v, %v: %q, want %q", c.first, c.now, got, c.want)
		}
	}
}
