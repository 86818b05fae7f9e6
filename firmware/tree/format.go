package tree

import (
	"errors"
	"fmt"
)

// Format reads one sort of content.
type Format struct {
	ID    string // "squashfs"
	Title string // "Squashfs file system"

	// Magic is how its first bytes can be told: one of these is there. A format without any is tried on everything that no other claims.
	Magic []Magic

	// Search has it looked for in the midst of other data. Its Open must then be sure of itself: a checksum, or structure that does not
	// come by chance.
	Search bool

	// Open reads what is at the beginning of the data of o, and returns ErrNot when it is something else. After any other error what it
	// has told of stays, with a note.
	Open func(o *Opening) error
}

// Magic is bytes at a fixed place.
type Magic struct {
	At    int64
	Bytes string // at least two
}

// ErrNot says that data are not of the format.
var ErrNot = errors.New("not of this format")

// ErrLimit says that a bound of Limits was met. A reader returns it upwards.
var ErrLimit = errors.New("more than is opened")

// offsetError is an error at a place in the data of the node.
type offsetError struct {
	offset int64
	text   string
}

func (e *offsetError) Error() string { return fmt.Sprintf("at %#x: %s", e.offset, e.text) }

// Bad is an error at an offset of the data.
func Bad(offset int64, format string, args ...any) error {
	return &offsetError{offset, fmt.Sprintf(format, args...)}
}

// Limits bound what is made of one artefact. A zero field is the default.
type Limits struct {
	Depth int   // of nesting; default 16
	Nodes int   // default 400,000
	Bytes int64 // made by decompression and the like, in all; default eight times the artefact, and at least 2 GiB
	Told  int64 // bytes of memory for what is told of them: nodes, names, notes and what readers keep; default 128 MiB

	Unguarded bool // a panic of a reader is one, rather than a note: for tests of readers
}

func (l Limits) withDefaults(size int64) Limits {
	if l.Depth == 0 {
		l.Depth = 16
	}
	if l.Nodes == 0 {
		l.Nodes = 400_000
	}
	if l.Bytes == 0 {
		l.Bytes = max(2<<30, 8*size)
	}
	if l.Told == 0 {
		l.Told = 128 << 20
	}
	return l
}
