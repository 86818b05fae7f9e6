package capture

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Limit is how many bytes a capture has at most, but for a few at its end.
const Limit = 16 << 20

// perFrame is what a frame costs in a file beside its own bytes, at most.
const perFrame = 48

// Options is what a recorder is made of.
type Options struct {
	Name        string // of the link
	Clock       *clock.Clock
	KeepSecrets bool
	Limit       int // bytes; 0: Limit
}

// Recorder writes a capture. It is safe for concurrent use.
type Recorder struct {
	o       Options
	started time.Time // device time

	mu       sync.Mutex
	out      *pcapgo.NgWriter
	veil     veil
	size     int
	frames   int
	full     bool
	dropped  int // since it is full
	finished bool
	err      error // the first of writing
}

// New begins a capture in w.
func New(w io.Writer, o Options) (*Recorder, error) {
	if o.Limit == 0 {
		o.Limit = Limit
	}
	comment := "stamped with device time, which may run faster than the clock on the wall"
	if !o.KeepSecrets {
		comment += "; payload that may be secret is blanked with zeros: --keep-secrets keeps it"
	}
	out, err := pcapgo.NewNgWriterInterface(w,
		pcapgo.NgInterface{Name: o.Name, LinkType: layers.LinkTypeEthernet},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Hardware: runtime.GOARCH, OS: runtime.GOOS, Application: "shakedown", Comment: comment}})
	if err != nil {
		return nil, fmt.Errorf("begin capture of %s: %w", o.Name, err)
	}
	r := &Recorder{o: o, out: out, started: o.Clock.Now()}
	if err := out.Flush(); err != nil {
		return nil, fmt.Errorf("begin capture of %s: %w", o.Name, err)
	}
	return r, nil
}

// See records a frame; it is a frame.Seer.
func (r *Recorder) See(f []byte, way frame.Way) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished || r.err != nil {
		return
	}
	if r.full {
		r.dropped++
		return
	}
	if !r.o.KeepSecrets {
		f = r.veil.over(f)
	}
	options := pcapgo.NgPacketOptions{Flags: &pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionOutbound}}
	if way == frame.Down {
		options.Flags.Direction = pcapgo.NgEpbFlagDirectionInbound
	}
	if r.size += len(f) + perFrame; r.size >= r.o.Limit {
		r.full = true
		options.Comments = []string{fmt.Sprintf("the capture ends here: it has reached %d bytes; later frames are only counted", r.o.Limit)}
	}
	info := gopacket.CaptureInfo{Timestamp: r.o.Clock.Now(), CaptureLength: len(f), Length: len(f)}
	if r.err = r.out.WritePacketWithOptions(info, f, options); r.err == nil {
		r.frames++
	}
}

// Mark writes out what was recorded so far, so that it is there whatever becomes of this process, and says how many frames that are.
func (r *Recorder) Mark() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && !r.finished {
		r.err = r.out.Flush()
	}
	return r.frames
}

// Dropped is how many frames came after the capture was full.
func (r *Recorder) Dropped() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

// Close ends the capture with its statistics. Frames that come later are ignored. It returns the first error of writing, and does not
// close what is written to. Later calls do nothing.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished {
		return nil
	}
	r.finished = true
	if r.err == nil {
		now := r.o.Clock.Now()
		r.err = r.out.WriteInterfaceStats(0, pcapgo.NgInterfaceStatistics{
			LastUpdate: now, StartTime: r.started, EndTime: now,
			PacketsReceived: uint64(r.frames + r.dropped), PacketsDropped: uint64(r.dropped),
		})
	}
	if r.err == nil {
		r.err = r.out.Flush()
	}
	if r.err != nil {
		return fmt.Errorf("capture %s: %w", r.o.Name, r.err)
	}
	return nil
}
