package mqtt

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReaderCutsPackets(t *testing.T) {
	big := Frame(0x30, bytes.Repeat([]byte{7}, 100_000))
	stream := bytes.Join([][]byte{{0xc0, 0}, big, {0x40, 2, 0, 1}}, nil)
	r := NewReader(iotest.HalfReader(bytes.NewReader(stream)), 100_000)
	for _, want := range [][]byte{{0xc0, 0}, big, {0x40, 2, 0, 1}} {
		got, err := r.Next()
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, %v, want %d bytes", len(got), err, len(want))
		}
	}
	if raw, err := r.Next(); err != io.EOF || raw != nil {
		t.Errorf("at the end: %x, %v, want io.EOF", raw, err)
	}
}

func TestReaderErrors(t *testing.T) {
	for _, row := range []struct {
		name, hex string
		err       error
		code      byte
		offset    int
	}{
		{"first byte alone", "30", io.ErrUnexpectedEOF, 0, 0},
		{"length unfinished", "30 80", io.ErrUnexpectedEOF, 0, 0},
		{"body missing", "30 05", io.ErrUnexpectedEOF, 0, 0},
		{"body cut", "30 05 0001", io.ErrUnexpectedEOF, 0, 0},
		{"large body cut", "30 8040 0001", io.ErrUnexpectedEOF, 0, 0},
		{"above the limit", "30 8180 01", nil, 0x95, 1},
		{"length of 5 bytes", "30 80808080 01", nil, 0x81, 4},
	} {
		stream := unhex(t, row.hex)
		raw, err := NewReader(bytes.NewReader(stream), 16384).Next()
		if row.err != nil {
			if err != row.err || !bytes.Equal(raw, stream) {
				t.Errorf("%s: %x, %v, want all bytes and %v", row.name, raw, err, row.err)
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != row.code || e.Offset != row.offset {
			t.Errorf("%s: %v, want code 0x%02x at byte %d", row.name, err, row.code, row.offset)
		}
	}
}

// TestReaderMemory announces 256 MB and sends nothing of it.
func TestReaderMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := NewReader(bytes.NewReader(unhex(t, "30 ffffff7f 0000")), 1<<28).Next()
	runtime.ReadMemStats(&after)
	if err != io.ErrUnexpectedEOF {
		t.Errorf("got %v, want io.ErrUnexpectedEOF", err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("allocated %d bytes for 7 bytes of input", grown)
	}
}

// TestReaderOwnSlice changes a packet and reads the next one.
func TestReaderOwnSlice(t *testing.T) {
	r := NewReader(bytes.NewReader(unhex(t, "40020001 40020002")), 9)
	first, _ := r.Next()
	second, err := r.Next()
	copy(first, "xxxx")
	if diff := cmp.Diff([]byte{0x40, 2, 0, 2}, second); err != nil || diff != "" {
		t.Errorf("error %v, packet (-want +got):\n%s", err, diff)
	}
}
