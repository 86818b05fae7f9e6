package mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode: nothing panics; the lenient faults agree with the strict verdict; a strictly decoded packet survives a round trip.
func FuzzDecode(f *testing.F) {
	for _, row := range golden {
		f.Add(unhex(f, row.hex), byte(row.p.Version))
	}
	for _, row := range violations {
		f.Add(unhex(f, row.hex), byte(row.v))
	}
	f.Fuzz(func(t *testing.T, raw []byte, v byte) {
		p, err := Decode(raw, Version(v))
		lenient, faults := DecodeLenient(raw, Version(v))
		if lenient == nil && len(faults) == 0 {
			t.Fatal("lenient gives neither packet nor fault")
		}
		if (err == nil) != (len(faults) == 0) {
			t.Fatalf("strict says %v, lenient %v", err, faults)
		}
		for _, e := range faults {
			if e.Offset < 0 || e.Offset > len(raw) || e.Reason == "" || e.Code < 0x80 {
				t.Fatalf("bad fault %#v", e)
			}
		}
		if len(Redacted(raw)) > maxDump {
			t.Fatal("redacted is too long")
		}
		if lenient != nil {
			_, _ = lenient.String(), lenient.Bytes()
			if _, err := json.Marshal(lenient); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			return
		}
		again, err := Decode(p.Bytes(), p.Version)
		if err != nil {
			t.Fatalf("decode of the encoded packet: %v", err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatalf("round trip (-first +second):\n%s", diff)
		}
	})
}

// FuzzReader: whatever the stream, the packets put together are the bytes read, and every error is one that Next promises.
func FuzzReader(f *testing.F) {
	for _, row := range golden {
		f.Add(append(unhex(f, row.hex), 0xc0, 0), uint16(64))
	}
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f}, uint16(9))
	f.Fuzz(func(t *testing.T, stream []byte, limit uint16) {
		r := NewReader(bytes.NewReader(stream), int(limit))
		var got []byte
		for {
			raw, err := r.Next()
			got = append(got, raw...)
			if err == nil {
				continue
			}
			var e *Error
			if !errors.As(err, &e) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("unexpected error %v", err)
			}
			if e == nil && !bytes.Equal(got, stream) || !bytes.HasPrefix(stream, got) {
				t.Fatalf("read %x of %x", got, stream)
			}
			return
		}
	})
}
