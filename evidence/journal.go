package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Bounds on what is read back: a run folder may come from anywhere.
const (
	maxPlan    = 32 << 20
	maxJournal = 512 << 20
	maxLine    = 8 << 20
	maxWire    = 128 << 20
)

// entry is one line of the journal.
type entry struct {
	At      time.Time `json:"at"`
	Event   string    `json:"event"` // job-start, job-end, interrupted, resumed
	Check   string    `json:"check,omitempty"`
	Variant string    `json:"variant,omitempty"`
	Repeat  int       `json:"repeat,omitempty"`
	Result  *Result   `json:"result,omitempty"` // of job-end
	Text    string    `json:"text,omitempty"`   // of interrupted
}

// append writes one line, and for all but a start waits until the disk has it.
func (r *Run) append(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode %s: %w", e.Event, err)
	}
	if len(line) >= maxLine {
		return fmt.Errorf("write %s of %s@%s: %d bytes are more than the %d that one result may have", e.Event, e.Check, e.Variant, len(line), maxLine)
	}
	n, err := r.file.Write(append(line, '\n'))
	if err != nil {
		// A part of a line would glue itself to the next one.
		if n > 0 {
			err = errors.Join(err, r.file.Truncate(r.size))
		}
		return fmt.Errorf("write %s: %w", JournalFile, err)
	}
	r.size += int64(n)
	if e.Event == "job-start" {
		return nil
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", JournalFile, err)
	}
	return nil
}

// openJournal opens the journal for appending after its last whole line.
func (r *Run) openJournal() error {
	f, err := os.OpenFile(filepath.Join(r.dir, JournalFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open %s: %w", JournalFile, err)
	}
	if err := f.Truncate(r.size); err != nil {
		return errors.Join(fmt.Errorf("cut off the torn end of %s: %w", JournalFile, err), f.Close())
	}
	r.file = f
	return nil
}

// readJournal takes in every whole line. A run that was killed before its first line has no journal.
func (r *Run) readJournal() error {
	f, err := os.Open(filepath.Join(r.dir, JournalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", JournalFile, err)
	}
	defer f.Close()
	bad := 0
	size, torn, err := readLines(io.LimitReader(f, maxJournal), func(line []byte) bool {
		var e entry
		if json.Unmarshal(line, &e) != nil {
			bad++
			return true
		}
		key := Job{Check: e.Check, Variant: e.Variant, Repeat: e.Repeat}
		if _, planned := r.dirs[key]; planned && e.Event == "job-end" && e.Result != nil {
			e.Result.Check, e.Result.Variant, e.Result.Repeat = e.Check, e.Variant, e.Repeat
			r.ended[key] = *e.Result
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", JournalFile, err)
	}
	r.size = size
	var said []string
	if bad > 0 {
		said = append(said, fmt.Sprintf("%d lines of %s cannot be read and are ignored", bad, JournalFile))
	}
	if torn > 0 {
		said = append(said, fmt.Sprintf("the last line of %s is cut off after %d bytes and is ignored", JournalFile, torn))
	}
	r.Torn = strings.Join(said, "; ")
	return nil
}

// readLines gives each line that ends in a newline to take, until it returns false. It returns the bytes of the whole lines and of
// the unfinished one after them. A line longer than maxLine is given as nil.
func readLines(in io.Reader, take func(line []byte) bool) (whole int64, torn int, err error) {
	br := bufio.NewReaderSize(in, 64<<10)
	var line []byte
	length := 0
	for {
		part, err := br.ReadSlice('\n')
		length += len(part)
		if length <= maxLine {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return whole, length, nil
		case err != nil:
			return whole, length, err
		}
		if length > maxLine {
			line = nil
		}
		whole += int64(length)
		if !take(bytes.TrimSuffix(line, []byte("\n"))) {
			return whole, 0, nil
		}
		line, length = line[:0], 0
	}
}

// Events reads the events that a job wrote to the file rel, a path relative to the run folder such as "jobs/x@y/wire.jsonl". Lines
// that cannot be read are left out, as is what comes after Limit events. A path that leads out of the run folder is refused. The
// Data of what comes back is plain JSON: maps, slices, strings, numbers.
func (r *Run) Events(rel string) ([]Event, error) {
	f, err := os.OpenInRoot(r.dir, filepath.FromSlash(rel))
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read events: %s is not a file", rel)
	}
	var out []Event
	_, _, err = readLines(io.LimitReader(f, maxWire), func(line []byte) bool {
		var e Event
		if json.Unmarshal(line, &e) == nil {
			out = append(out, e)
		}
		return len(out) < Limit
	})
	if err != nil {
		return nil, fmt.Errorf("read events of %s: %w", rel, err)
	}
	return out, nil
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return data, err
}

// writeJSON puts v in the file path.
func writeJSON(path string, v any) error {
	return replaceFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	})
}

// replaceFile has f write the file path so that a reader, also after a crash, finds either the whole of it or what was there before.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), unfinished+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	out := bufio.NewWriter(f)
	err = write(out)
	err = errors.Join(err, out.Flush(), f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// unfinished is the beginning of the name of a file that is being written; a process that is killed leaves it behind.
const unfinished = ".unfinished-"

func isUnfinished(name string) bool { return strings.HasPrefix(name, unfinished) }

// sweep removes what a killed process left half written. A file that cannot be removed does no harm.
func (r *Run) sweep() {
	entries, _ := os.ReadDir(r.dir)
	for _, e := range entries {
		if isUnfinished(e.Name()) {
			_ = os.Remove(filepath.Join(r.dir, e.Name()))
		}
	}
}

// syncDir makes a rename last. Not every file system can, and the data itself is safe by then.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
