package disk

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
)

// sampleMBR is a disk with a partition, and one in an extended one.
func sampleMBR() []byte {
	b := make([]byte, 512*20)
	entry := func(sector, n int, kind byte, first, count uint32) {
		e := b[512*sector+446+16*n:]
		e[4] = kind
		binary.LittleEndian.PutUint32(e[8:], first)
		binary.LittleEndian.PutUint32(e[12:], count)
		binary.LittleEndian.PutUint16(b[512*sector+510:], 0xaa55)
	}
	entry(0, 0, 0x83, 4, 2)
	entry(0, 2, 5, 8, 12)
	entry(8, 0, 0x83, 1, 2)
	entry(8, 1, 5, 6, 4)
	entry(14, 0, 0xc, 2, 2)
	copy(b[512*4:], "first")
	copy(b[512*9:], "logical")
	return b
}

// sampleGPT is a disk with two partitions.
func sampleGPT() []byte {
	b := make([]byte, 512*12)
	for i, p := range []struct {
		first, last uint64
		name        string
	}{{5, 6, "kernel"}, {8, 9, ""}} {
		e := b[1024+128*i:]
		copy(e, "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b")
		binary.LittleEndian.PutUint64(e[32:], p.first)
		binary.LittleEndian.PutUint64(e[40:], p.last)
		for j, c := range p.name {
			e[56+2*j] = byte(c)
		}
	}
	head := b[512:]
	copy(head, "EFI PART\x00\x00\x01\x00")
	binary.LittleEndian.PutUint32(head[12:], 92)
	binary.LittleEndian.PutUint64(head[32:], 11)
	binary.LittleEndian.PutUint64(head[72:], 2)
	binary.LittleEndian.PutUint32(head[80:], 4)
	binary.LittleEndian.PutUint32(head[84:], 128)
	sealGPT(b)
	return b
}

func sealGPT(b []byte) {
	head := b[512:]
	binary.LittleEndian.PutUint32(head[88:], crc32.ChecksumIEEE(b[1024:1024+4*128]))
	binary.LittleEndian.PutUint32(head[16:], 0)
	binary.LittleEndian.PutUint32(head[16:], crc32.ChecksumIEEE(head[:92]))
}

func TestPartitions(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"mbr": {sampleMBR(), `it [mbr] 3 partitions
it: unpartitioned at 0x200 [] 
it: partition 1 at 0x800 [] 
it: unpartitioned at 0xc00 [] 
it: partition 5 at 0x1200 [] 
it: unpartitioned at 0x1600 [] 
it: partition 6 at 0x2000 [] 
`},
		"gpt": {sampleGPT(), `it [gpt] 2 partitions
it: unpartitioned at 0x600 [] 
it: partition 1 kernel at 0xa00 [] 
it: unpartitioned at 0xe00 [] 
it: partition 2 at 0x1000 [] 
`},
	} {
		root := open(t, c.data)
		if got := listed(t, root); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.want)
		}
	}
	p := *open(t, sampleGPT()).Info.(*Partitions)
	if p[0].Type != "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" {
		t.Error(p[0].Type)
	}
}

func TestPartitionsHostile(t *testing.T) {
	loop := sampleMBR()
	binary.LittleEndian.PutUint32(loop[512*14+446+16+8:], 0)
	binary.LittleEndian.PutUint32(loop[512*14+446+16+12:], 1)
	loop[512*14+446+16+4] = 5
	overlap := sampleGPT()
	binary.LittleEndian.PutUint64(overlap[1024+128+32:], 0)
	sealGPT(overlap)
	many := sampleGPT()
	binary.LittleEndian.PutUint32(many[512+80:], 1<<30)
	sealGPT(many)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{loop, "the chain of logical partitions goes wrong here"},
		{overlap, "partition 2 overlaps what is before it"},
		{many, "it has 1073741824 partitions"},
	} {
		if got := listed(t, open(t, c.data)); !strings.Contains(got, c.want) {
			t.Errorf("%q is not in\n%s", c.want, got)
		}
	}
}
