package join

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestComplete(t *testing.T) {
	offload := make([]byte, offloads)
	f := []byte{1, 2, 3, 4, 0x12, 0x34, 0, 0x10, 0xff}
	before := bytes.Clone(f)
	complete(offload, f)
	if !bytes.Equal(f, before) {
		t.Errorf("a frame that is complete became %x", f)
	}
	offload[0] = 1
	binary.NativeEndian.PutUint16(offload[6:], 4)
	binary.NativeEndian.PutUint16(offload[8:], 2)
	complete(offload, f) // 1234 + 0010 + ff00 = 11144, with the carry 1145
	if want := []byte{1, 2, 3, 4, 0x12, 0x34, 0xee, 0xba, 0xff}; !bytes.Equal(f, want) {
		t.Errorf("%x, want %x", f, want)
	}
	for _, start := range []uint16{8, 9, 100} {
		binary.NativeEndian.PutUint16(offload[6:], start)
		complete(offload, f) // what it says is outside of the frame
	}
}

func FuzzComplete(f *testing.F) {
	f.Add(make([]byte, offloads), []byte("frame"))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 2, 0, 1, 0}, []byte("frame"))
	f.Fuzz(func(_ *testing.T, offload, frame []byte) {
		if len(offload) >= offloads {
			complete(offload, frame)
		}
	})
}
