package campaign

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestCapture(t *testing.T) {
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	none := captured{}
	if err := none.close(); err != nil || none.name("jobs/x") != "" {
		t.Errorf("a capture that was never begun: %q, %v", none.name("jobs/x"), err)
	}
	c := captured{dir: t.TempDir(), clk: clk, log: log}
	l := frame.New(frame.Options{Name: "access", Clock: clk})
	defer l.Close()
	if err := c.begin(l); err != nil {
		t.Fatal(err)
	}
	l.SendUp(make([]byte, 100))
	log.Add(evidence.Event{Kind: evidence.Step})
	if e := log.Since(0)[0]; e.Frame != 1 {
		t.Errorf("the event says %d frames, want 1", e.Frame)
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
	l.SendUp(make([]byte, 100))
	if info, err := os.Stat(filepath.Join(c.dir, evidence.CaptureFile)); err != nil || info.Size() < 300 || c.name("jobs/x") != "jobs/x/access.pcapng" {
		t.Errorf("the file: %v, %v; called %s", info, err, c.name("jobs/x"))
	}
	lost := captured{dir: filepath.Join(c.dir, "absent"), clk: clk, log: log}
	if err := lost.begin(l); !errors.Is(err, os.ErrNotExist) || !errors.Is(lost.failure, os.ErrNotExist) || lost.name("jobs/x") != "" || lost.close() != nil {
		t.Errorf("in a folder that is not there: %v, %v", err, lost.failure)
	}
}
