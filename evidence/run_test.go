package evidence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func planOf(jobs ...Job) Plan { return Plan{Product: "Lamp", Seed: 7, Created: noon, Jobs: jobs} }

func twoJobs() Plan {
	return planOf(
		Job{Check: "a.one", Variant: "rev-a"},
		Job{Check: "a.two", Variant: "rev-a", Outcome: NotRun, Reason: "no console", Hint: "declare console.read"},
		Job{Check: "a.one", Variant: "rev-b"},
		Job{Check: "a.one", Variant: "rev-b", Repeat: 1},
	)
}

// ok fails the test on an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newTestRun(t *testing.T, plan Plan) (*Run, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	r, err := CreateRun(dir, plan)
	ok(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r, dir
}

func TestRunIsReadBackAsWritten(t *testing.T) {
	plan := twoJobs()
	r, dir := newTestRun(t, plan)
	ok(t, r.Started(plan.Jobs[2], noon))
	res := Result{Check: "a.one", Variant: "rev-b", Outcome: Fail, Findings: []Finding{{Severity: Major, Title: "t", Since: noon}}}
	ok(t, r.Ended(res, noon.Add(time.Minute)))
	ok(t, r.Interrupted("signal", noon))
	ok(t, r.Finish(map[string]string{"verdict": "x"}))
	ok(t, r.Close())

	back, err := OpenRun(dir)
	ok(t, err)
	res.Dir = "jobs/a.one@rev-b"
	want := []Result{{Check: "a.two", Variant: "rev-a", Outcome: NotRun, Reason: "no console", Hint: "declare console.read"}, res}
	if diff := cmp.Diff(want, back.Results()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Job{plan.Jobs[0], plan.Jobs[3]}, back.Pending()); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(plan, back.Plan()); diff != "" || back.Torn != "" {
		t.Errorf("plan differs, or torn %q:\n%s", back.Torn, diff)
	}
	if err := back.Ended(res, noon); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a run open for reading was written: %v", err)
	}
}

func TestCreateRunRefusesFolderInUse(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "holiday.jpg"), nil, 0o644))
	if _, err := CreateRun(dir, planOf()); err == nil {
		t.Error("CreateRun took a folder with files of others in it")
	}
}

func TestOneWriterOnly(t *testing.T) {
	r, dir := newTestRun(t, twoJobs())
	other, err := OpenRun(dir)
	ok(t, err)
	if err := other.Resume(noon); !errors.Is(err, ErrLocked) {
		t.Fatalf("second writer: got %v, want ErrLocked", err)
	}
	ok(t, r.Close())
	ok(t, other.Resume(noon))
	ok(t, other.Close())
}

func TestJobMustBePlanned(t *testing.T) {
	r, _ := newTestRun(t, twoJobs())
	if err := r.Started(Job{Check: "x", Variant: "y"}, noon); err == nil {
		t.Error("a job that is not planned was started")
	}
	if err := r.Ended(Result{Check: "x", Variant: "y"}, noon); err == nil {
		t.Error("a job that is not planned was ended")
	}
}

// TestKilledWhileWriting cuts the journal at every byte of its last line: whatever is left must open, must not invent a result, and
// must take further results after Resume.
func TestKilledWhileWriting(t *testing.T) {
	plan := twoJobs()
	r, dir := newTestRun(t, plan)
	for _, j := range []Job{plan.Jobs[0], plan.Jobs[2]} {
		ok(t, r.Started(j, noon))
		ok(t, r.Ended(Result{Check: j.Check, Variant: j.Variant, Outcome: Pass, Started: noon}, noon))
	}
	ok(t, r.Close())
	path := filepath.Join(dir, JournalFile)
	whole, err := os.ReadFile(path)
	ok(t, err)
	last := strings.LastIndexByte(strings.TrimSuffix(string(whole), "\n"), '\n') + 1

	for cut := last; cut < len(whole); cut++ {
		ok(t, os.WriteFile(path, whole[:cut], 0o644))
		r, err := OpenRun(dir)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if got := len(r.Results()); got != 2 {
			t.Fatalf("cut at %d: %d results, want 2", cut, got)
		}
		if (r.Torn != "") != (cut > last) {
			t.Fatalf("cut at %d: torn says %q", cut, r.Torn)
		}
		ok(t, r.Resume(noon))
		ok(t, r.Ended(Result{Check: "a.one", Variant: "rev-b", Outcome: Fail}, noon))
		ok(t, r.Close())
		again, err := OpenRun(dir)
		ok(t, err)
		if again.Torn != "" || len(again.Results()) != 3 || len(again.Pending()) != 1 {
			t.Fatalf("cut at %d: after resume torn %q, %d results, %d pending", cut, again.Torn, len(again.Results()), len(again.Pending()))
		}
	}
}

func TestStartedEmptiesFolderOfInterruptedAttempt(t *testing.T) {
	plan := twoJobs()
	r, _ := newTestRun(t, plan)
	ok(t, r.Started(plan.Jobs[0], noon))
	abs, _ := r.JobDir(plan.Jobs[0])
	ok(t, os.WriteFile(filepath.Join(abs, WireFile), []byte("old"), 0o644))
	ok(t, r.Started(plan.Jobs[0], noon))
	if _, err := os.Stat(filepath.Join(abs, WireFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("old evidence is still there: %v", err)
	}
}

func TestJobDirs(t *testing.T) {
	long := strings.Repeat("x", 300)
	dirs := jobDirs([]Job{
		{Check: "a.b", Variant: "rev-a"},
		{Check: "a.b", Variant: "rev-a", Repeat: 1},
		{Check: "a.b", Variant: "rev-a.1"},
		{Check: "a.b", Variant: "REV-A"},
		{Check: "a.b"},
		{Check: "a.b", Variant: "../../etc"},
		{Check: "a.b", Variant: "ü/\x00:"},
		{Check: "a.b", Variant: long},
		{Check: "a.b", Variant: long + "y"},
	})
	seen := map[string]bool{}
	for job, dir := range dirs {
		base := strings.TrimPrefix(dir, "jobs/")
		if base == dir || strings.ContainsAny(base, `/\:`+"\x00") || !filepath.IsLocal(dir) || len(base) > 200 {
			t.Errorf("%q: bad folder %q", job.Variant, dir)
		}
		if low := strings.ToLower(dir); seen[low] {
			t.Errorf("%q: folder %q is taken", job.Variant, dir)
		} else {
			seen[low] = true
		}
	}
	for job, want := range map[Job]string{
		{Check: "a.b", Variant: "rev-a"}:            "jobs/a.b@rev-a",
		{Check: "a.b", Variant: "rev-a", Repeat: 1}: "jobs/a.b@rev-a.1",
		{Check: "a.b", Variant: "rev-a.1"}:          "jobs/a.b@rev-a.1~2",
		{Check: "a.b", Variant: "REV-A"}:            "jobs/a.b@REV-A~2",
		{Check: "a.b"}:                              "jobs/a.b@all",
	} {
		if got := dirs[job]; got != want {
			t.Errorf("%s@%s: folder %q, want %q", job.Check, job.Variant, got, want)
		}
	}
}

func TestEvents(t *testing.T) {
	plan := twoJobs()
	r, dir := newTestRun(t, plan)
	ok(t, r.Started(plan.Jobs[0], noon))
	abs, rel := r.JobDir(plan.Jobs[0])
	f, err := os.Create(filepath.Join(abs, WireFile))
	ok(t, err)
	log := NewLog(func() time.Time { return noon }, f, false)
	log.Add(Event{Kind: Step, Text: "wait"})
	log.Add(Event{Kind: In, Conn: 1, Text: "CONNECT"})
	ok(t, log.Close())
	fmt.Fprint(f, `{"n":2,"kind":"o`)
	ok(t, f.Close())

	got, err := r.Events(rel + "/" + WireFile)
	ok(t, err)
	want := []Event{{N: 0, At: noon, Kind: Step, Text: "wait"}, {N: 1, At: noon, Kind: In, Conn: 1, Text: "CONNECT"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	ok(t, os.WriteFile(filepath.Join(filepath.Dir(dir), "outside"), []byte("{}\n"), 0o644))
	ok(t, os.Symlink("../outside", filepath.Join(dir, "link")))
	for _, bad := range []string{"../outside", "/etc/passwd", "link", "", "jobs"} {
		if _, err := r.Events(bad); err == nil {
			t.Errorf("Events(%q) was read", bad)
		}
	}
}

func TestRedacted(t *testing.T) {
	res := Result{Reason: "password=hunter22", Findings: []Finding{{Seen: "token: abcdefgh", Evidence: []Ref{{What: "psk=12345678"}}}}}
	got := res.Redacted()
	if s := fmt.Sprint(got); strings.Contains(s, "hunter22") || strings.Contains(s, "abcdefgh") || strings.Contains(s, "12345678") {
		t.Errorf("a secret is left: %s", s)
	}
	if res.Findings[0].Seen != "token: abcdefgh" || res.Findings[0].Evidence[0].What != "psk=12345678" {
		t.Error("Redacted changed the original")
	}
}

// FuzzJournal feeds the readers bytes that no Run wrote.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"event":"job-end","check":"a.one","variant":"rev-a","result":{"outcome":"pass"}}` + "\n"))
	f.Add([]byte("{}\n\n\x00\n[[[["))
	dir := f.TempDir()
	r, err := CreateRun(dir, twoJobs())
	if err != nil {
		f.Fatal(err)
	}
	if err := r.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ok(t, os.WriteFile(filepath.Join(dir, JournalFile), data, 0o644))
		r, err := OpenRun(dir)
		ok(t, err)
		if got := len(r.Results()) + len(r.Pending()); got != 4 {
			t.Errorf("%d jobs ended or pending, want 4", got)
		}
		if _, err := r.Events(JournalFile); err != nil {
			t.Errorf("events: %v", err)
		}
	})
}

// A start that was killed before it had written the plan does not spoil the folder, and a run that is taken up again is tidy.
func TestLeftoversOfAKill(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{lockFile, unfinished + "plan.json-1"} {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600))
	}
	r, err := CreateRun(dir, twoJobs())
	ok(t, err)
	ok(t, r.Close())
	ok(t, os.WriteFile(filepath.Join(dir, unfinished+"report.html-2"), nil, 0o600))
	back, err := OpenRun(dir)
	ok(t, err)
	ok(t, back.Resume(noon))
	ok(t, back.Close())
	if left, _ := filepath.Glob(filepath.Join(dir, unfinished+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := CreateRun(dir, twoJobs()); err == nil {
		t.Error("a second run was begun in the same folder")
	}
}
