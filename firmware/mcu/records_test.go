package mcu

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const hexSample = ":020000040800F2\r\n:0400000001020304F2\r\n:04000600AABBCCDDE8\r\n:0400000508000001EE\r\n:020000041000EA\r\n:0412080000FFFFFFE5\r\n:00000001FF\r\n"

const srecSample = "S00600004844521B\nS107000001020304EE\nS107000610111213AC\nS30908000000AABBCCDDE0\nS9030000FC\n"

// ihexOf writes records with the right sums.
func ihexOf(records ...[]byte) string {
	var b strings.Builder
	for _, r := range records {
		sum := byte(0)
		for _, c := range r {
			sum -= c
		}
		fmt.Fprintf(&b, ":%X%02X\n", r, sum)
	}
	return b.String()
}

func TestIntelHex(t *testing.T) {
	t.Parallel()
	got := info[*Memory](t, []byte(hexSample))
	want := &Memory{
		Regions: []Region{
			{Address: 0x08000000, Data: []byte{1, 2, 3, 4, 0xFF, 0xFF, 0xAA, 0xBB, 0xCC, 0xDD}, Gaps: []Gap{{0x08000004, 2}}},
			{Address: 0x10001208, Data: []byte{0, 0xFF, 0xFF, 0xFF}},
		},
		Entry: 0x08000001, Records: 7,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if w, ok := got.Word(0x10001208); !ok || w != 0xFFFFFF00 {
		t.Errorf("word %#x, %v", w, ok)
	}
	if _, ok := got.Word(0x08000002); ok {
		t.Error("a word in a gap is there")
	}
}

// Faults are told with the number of their line.
func TestRecordFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"sum":      {strings.Replace(hexSample, "DDE8", "DDE9", 1), "line 3: it does not fit its checksum"},
		"digits":   {strings.Replace(hexSample, "AABB", "AXBB", 1), "line 3: it is not written in hex"},
		"length":   {ihexOf([]byte{4, 0, 0, 0, 1, 2, 3, 4}, []byte{9, 0, 4, 0, 1}, []byte{0, 0, 0, 1}), "line 2: it says 9 bytes of data, and 1 are there"},
		"no end":   {ihexOf([]byte{4, 0, 0, 0, 1, 2, 3, 4}), "it has no record that ends it"},
		"a type":   {ihexOf([]byte{4, 0, 0, 0, 1, 2, 3, 4}, []byte{0, 0, 0, 9}, []byte{0, 0, 0, 1}), "line 2: a record of type 9"},
		"twice":    {ihexOf([]byte{2, 0, 0, 0, 1, 2}, []byte{2, 0, 1, 0, 3, 4}, []byte{0, 0, 0, 1}), "1 bytes from 0x0 on are put there twice, and not the same"},
		"srec sum": {strings.Replace(srecSample, "13AC", "13AD", 1), "line 3: it does not fit its checksum"},
	} {
		if got := told(t, open(t, []byte(c.text))); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in\n%s", name, c.want, got)
		}
	}
}

// A universal hex file of micro:bit holds images for two boards.
func TestUniversalHex(t *testing.T) {
	t.Parallel()
	text := ihexOf([]byte{4, 0, 0, 0x0A, 0x99, 0, 0xC0, 0xDE}, []byte{2, 0, 0, 0, 1, 2}, []byte{0, 0, 0, 0x0B}, []byte{4, 0, 0, 0x0A, 0x99, 3, 0xC0, 0xDE}, []byte{2, 0, 0, 0x0D, 3, 4}, []byte{0, 0, 0, 1})
	got := info[*Memory](t, []byte(text))
	if len(got.Regions) != 2 || got.Faults != 0 {
		t.Errorf("%+v", got)
	}
}

func TestSRec(t *testing.T) {
	t.Parallel()
	got := info[*Memory](t, []byte(srecSample))
	want := &Memory{
		Regions: []Region{
			{Address: 0, Data: []byte{1, 2, 3, 4, 0xFF, 0xFF, 0x10, 0x11, 0x12, 0x13}, Gaps: []Gap{{4, 2}}},
			{Address: 0x08000000, Data: []byte{0xAA, 0xBB, 0xCC, 0xDD}},
		},
		Records: 5,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Records far apart make no large content.
func TestGapsBounded(t *testing.T) {
	t.Parallel()
	var records [][]byte
	for i := range 60_000 {
		records = append(records, []byte{2, 0, 0, 4, byte(i >> 8), byte(i)}, []byte{1, 0, 0, 0, 7})
	}
	total := 0
	for _, r := range info[*Memory](t, []byte(ihexOf(records...))).Regions {
		total += len(r.Data)
	}
	if total > 2*mostGaps {
		t.Errorf("%d bytes of 60,000", total)
	}
}

func uf2Sample() []byte {
	block := func(n, address uint32, data string) []byte {
		tag := slices.Concat([]byte{4 + 5, 0xBC, 0xC7, 0x9F}, []byte("v1.02"))
		body := append(append([]byte(data), make([]byte, -len(data)&3)...), tag...)
		return slices.Concat([]byte("UF2\nWQ]\x9e"), word(uf2Family|uf2Tagged), word(address), word(uint32(len(data))), word(n), word(2), word(0xE48BFF56), body, make([]byte, 476-len(body)), word(0x0AB16F30))
	}
	return append(block(0, 0x10000000, "first..."), block(1, 0x10000008, "second")...)
}

func TestUF2(t *testing.T) {
	t.Parallel()
	got := info[*UF2](t, uf2Sample())
	if !reflect.DeepEqual(got.Families, []string{"RP2040"}) || got.Version != "v1.02" || len(got.Regions) != 1 || !bytes.Equal(got.Regions[0].Data, []byte("first...second")) {
		t.Errorf("%+v", got)
	}
	if got := told(t, open(t, uf2Sample()[:512])); !strings.Contains(got, "1 of 2 blocks are there") {
		t.Error(got)
	}
}
