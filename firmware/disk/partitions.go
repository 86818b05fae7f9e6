package disk

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// gpt is a disk with a GUID partition table (UEFI specification, chapter 5), in sectors of 512 or 4096 bytes.
var gpt = tree.Format{
	ID: "gpt", Title: "disk with a GUID partition table", Magic: []tree.Magic{{At: 512, Bytes: "EFI PART"}, {At: 4096, Bytes: "EFI PART"}}, Search: true, Open: openGPT,
}

// mbr is a disk with the partition table of the first personal computers, in its master boot record.
var mbr = tree.Format{ID: "mbr", Title: "disk with a partition table", Magic: []tree.Magic{{At: 510, Bytes: "\x55\xaa"}}, Open: openMBR}

// Partition is a part of a disk.
type Partition struct {
	Name     string
	Type     string // the GUID, or the number in hexadecimal digits
	At, Size int64
}

// Partitions are those of a disk.
type Partitions []Partition

// maxPartitions is how many are told of.
const maxPartitions = 1024

func openGPT(o *tree.Opening) error {
	for _, sector := range []int64{512, 4096} {
		head, err := o.Read(sector, 512)
		if err != nil || string(head[:8]) != "EFI PART" {
			continue
		}
		size := int(binary.LittleEndian.Uint32(head[12:]))
		if size < 92 || size > 512 {
			continue
		}
		sum := binary.LittleEndian.Uint32(head[16:])
		if crc32.ChecksumIEEE(slices.Concat(head[:16], make([]byte, 4), head[20:size])) == sum {
			return readGPT(o, head, sector)
		}
	}
	return tree.ErrNot
}

func readGPT(o *tree.Opening, head []byte, sector int64) error {
	long := func(b []byte) int64 { return int64(min(binary.LittleEndian.Uint64(b), 1<<40)) }
	at, count, size := long(head[72:])*sector, int(binary.LittleEndian.Uint32(head[80:])), int(binary.LittleEndian.Uint32(head[84:]))
	if size < 128 || size > 4096 || count > maxPartitions {
		return tree.Bad(sector+80, "it has %d partitions, each told of in %d bytes", count, size)
	}
	table, err := o.Read(at, count*size)
	if err != nil {
		return err
	}
	if crc32.ChecksumIEEE(table) != binary.LittleEndian.Uint32(head[88:]) {
		o.Note(at, "the table does not fit its checksum")
	}
	var found Partitions
	for i := range count {
		e := table[i*size:][:size]
		first, last := long(e[32:]), long(e[40:])
		if bytes.Equal(e[:16], make([]byte, 16)) {
			continue
		}
		if last < first {
			o.Note(at+int64(i*size)+32, "partition %d is said to go from sector %d to %d", i+1, first, last)
			continue
		}
		var units []uint16
		for b := e[56:128]; len(b) > 0 && (b[0] != 0 || b[1] != 0); b = b[2:] {
			units = append(units, binary.LittleEndian.Uint16(b))
		}
		found = append(found, Partition{partitionName(i+1, string(utf16.Decode(units))), guid(e), first * sector, (last - first + 1) * sector})
	}
	o.Describe("%d partitions", len(found))
	o.Ends((long(head[32:]) + 1) * sector) // the copy of the head is the last sector
	return partitioned(o, found, max(2*sector, at+int64(count*size)))
}

// guid writes one as it is written: the first three groups are little-endian.
func guid(b []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:16])
}

func partitionName(number int, name string) string {
	if name = strings.TrimSpace(name); name == "" {
		return fmt.Sprintf("partition %d", number)
	}
	return fmt.Sprintf("partition %d %s", number, name)
}

// openMBR reads the four entries of the first sector, and the chain of sectors in an extended partition.
func openMBR(o *tree.Opening) error {
	const sector = 512
	var found Partitions
	extended := int64(0)
	entries, ok := mbrEntries(o, 0)
	if !ok {
		return tree.ErrNot
	}
	end := int64(sector)
	for i, e := range entries {
		if e.kind == 0 {
			continue
		}
		if e.first == 0 || e.first*sector >= o.Size() {
			return tree.ErrNot
		}
		end = max(end, (e.first+e.count)*sector)
		if e.kind == 5 || e.kind == 0xf || e.kind == 0x85 {
			extended = e.first
			continue
		}
		found = append(found, Partition{partitionName(i+1, ""), fmt.Sprintf("%02x", e.kind), e.first * sector, e.count * sector})
	}
	for at, number := extended, 5; at > 0; number++ {
		entries, ok := mbrEntries(o, at*sector)
		if !ok || number > 128 {
			o.Note(at*sector, "the chain of logical partitions goes wrong here")
			break
		}
		if e := entries[0]; e.kind != 0 {
			found = append(found, Partition{partitionName(number, ""), fmt.Sprintf("%02x", e.kind), (at + e.first) * sector, e.count * sector})
		}
		if at = 0; entries[1].kind != 0 {
			at = extended + entries[1].first
		}
	}
	if len(found) == 0 {
		return tree.ErrNot
	}
	o.Describe("%d partitions", len(found))
	o.Ends(end)
	return partitioned(o, found, sector)
}

type mbrEntry struct {
	kind         byte
	first, count int64 // sectors
}

// mbrEntries reads the table in a sector, and says whether it can be one.
func mbrEntries(o *tree.Opening, at int64) (entries [4]mbrEntry, ok bool) {
	b, err := o.Read(at, 512)
	if err != nil || b[510] != 0x55 || b[511] != 0xaa {
		return entries, false
	}
	for i := range entries {
		e := b[446+16*i:]
		entries[i] = mbrEntry{e[4], int64(binary.LittleEndian.Uint32(e[8:])), int64(binary.LittleEndian.Uint32(e[12:]))}
		if e[0]&0x7f != 0 || e[4] != 0 && entries[i].count == 0 {
			return entries, false
		}
	}
	return entries, true
}

// partitioned makes parts of partitions and of what lies between them, from an offset on.
func partitioned(o *tree.Opening, found Partitions, from int64) error {
	o.Info(&found)
	ordered := slices.Clone(found)
	slices.SortStableFunc(ordered, func(a, b Partition) int { return cmp.Compare(a.At, b.At) })
	for _, p := range ordered {
		if p.At >= o.Size() {
			o.Note(-1, "%s is said to lie at %#x, behind the end", p.Name, p.At)
			continue
		}
		if p.At < from {
			o.Note(p.At, "%s overlaps what is before it, and is left out", p.Name)
			continue
		}
		if gap := p.At - from; gap > 0 {
			if _, err := o.Part("unpartitioned", from, gap); err != nil {
				return err
			}
		}
		if _, err := o.Part(p.Name, p.At, p.Size); err != nil {
			return err
		}
		from = max(from, p.At+p.Size)
	}
	return nil
}
