package campaign

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/capture"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// captured is the capture of one job: of the device's access link, if it has one.
type captured struct {
	dir  string // the job's
	keep bool   // secrets
	clk  *clock.Clock
	log  *evidence.Log

	file     *os.File // nil: none was begun
	recorder *capture.Recorder
	stop     func()
	failure  error // to begin
}

// begin records what passes on a link from now on. The job's events tell how far the capture was by then.
func (c *captured) begin(l *frame.Link) (err error) {
	defer func() { c.failure = err }()
	if c.file, err = os.Create(filepath.Join(c.dir, evidence.CaptureFile)); err != nil {
		return err
	}
	if c.recorder, err = capture.New(c.file, capture.Options{Name: l.Name(), Clock: c.clk, KeepSecrets: c.keep}); err != nil {
		return err
	}
	c.log.CountFrames(c.recorder.Mark)
	c.stop = l.Watch(c.recorder.See)
	return nil
}

// name is the file of the capture, within the folder that results call rel; empty when none was begun.
func (c *captured) name(rel string) string {
	if c.recorder == nil {
		return ""
	}
	return filepath.ToSlash(filepath.Join(rel, evidence.CaptureFile))
}

func (c *captured) close() (err error) {
	if c.file == nil {
		return nil
	}
	if c.recorder != nil {
		c.stop()
		err = c.recorder.Close()
	}
	return errors.Join(err, c.file.Close())
}
