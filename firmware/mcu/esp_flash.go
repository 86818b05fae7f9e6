package mcu

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// espTable is the partition table of the ESP32 family (ESP-IDF, "Partition Tables"; gen_esp32part.py).
var espTable = tree.Format{ID: "esp-partitions", Title: "ESP32 partition table", Magic: []tree.Magic{{At: 0, Bytes: tableMagic}}, Search: true, Open: openTable}

// espFlash is a dump of the flash of a chip of the ESP32 family, or what makers merge to write at once: a boot loader, the partition table
// at one of the offsets that projects choose, and the partitions.
var espFlash = tree.Format{ID: "esp-flash", Title: "ESP32 flash", Magic: flashMagic(), Open: openFlash}

const (
	tableMagic = "\xAA\x50"
	tableSum   = "\xEB\xEB" // begins the entry with the MD5 of those before
	tableSize  = 0xC00      // bytes at most, of a sector
	tableEntry = 32
)

// ESPTable is a partition table.
type ESPTable struct {
	Partitions []ESPPartition
	Summed     bool // it has an MD5, which fits
}

// ESPPartition is an entry of it.
type ESPPartition struct {
	Name          string
	Type, Subtype byte
	Offset, Size  int64 // in the flash
	Encrypted     bool  // it is encrypted when flash encryption is on
	ReadOnly      bool
}

// Types and subtypes of partitions.
const (
	ESPApp    = 0
	ESPData   = 1
	ESPLoader = 2

	ESPFactory = 0x00 // of applications
	ESPOTA0    = 0x10 // the first of 16

	ESPOTAData = 0x00 // of data
	ESPNVS     = 0x02
	ESPNVSKeys = 0x04
	ESPEFuse   = 0x05
)

// OTA reports whether it is a slot that updates are written to.
func (p ESPPartition) OTA() bool {
	return p.Type == ESPApp && p.Subtype >= ESPOTA0 && p.Subtype < ESPOTA0+16
}

// readTable reads a table at the start of b.
func readTable(b []byte) (*ESPTable, error) {
	t := &ESPTable{}
	for at := 0; at+tableEntry <= min(len(b), tableSize); at += tableEntry {
		e := b[at : at+tableEntry]
		switch {
		case string(e[:2]) == tableMagic:
			flags := le32(e[28:])
			t.Partitions = append(t.Partitions, ESPPartition{
				Name: text(e[12:28]), Type: e[2], Subtype: e[3], Offset: int64(le32(e[4:])), Size: int64(le32(e[8:])), Encrypted: flags&1 != 0, ReadOnly: flags&2 != 0,
			})
			continue
		case string(e[:2]) == tableSum:
			sum := md5.Sum(b[:at])
			if !bytes.Equal(sum[:], e[16:]) {
				return t, tree.Bad(int64(at), "its entries do not fit their MD5")
			}
			t.Summed = true
		case !filled(e, 0xFF):
			return nil, tree.ErrNot
		}
		break
	}
	return t, t.sane()
}

// sane reports as an error when what was read cannot be a table.
func (t *ESPTable) sane() error {
	if len(t.Partitions) == 0 {
		return tree.ErrNot
	}
	apps := 0
	for _, p := range t.Partitions {
		if p.Size == 0 || p.Offset == 0 && p.Type != ESPLoader || p.Offset%4 != 0 || p.Offset+p.Size > 1<<30 {
			return tree.ErrNot
		}
		for _, c := range []byte(p.Name) {
			if c < ' ' || c > '~' {
				return tree.ErrNot
			}
		}
		if p.Type == ESPApp {
			apps++
		}
	}
	if !t.Summed && (apps == 0 || len(t.Partitions) < 2) {
		return tree.ErrNot
	}
	return nil
}

func (t *ESPTable) String() string {
	slots := 0
	for _, p := range t.Partitions {
		if p.OTA() {
			slots++
		}
	}
	return fmt.Sprintf("%d partitions, %d of them slots for updates", len(t.Partitions), slots)
}

func openTable(o *tree.Opening) error {
	b, err := o.Read(0, int(min(o.Size(), tableSize)))
	if err != nil {
		return err
	}
	t, err := readTable(b)
	if errors.Is(err, tree.ErrNot) {
		return err
	}
	o.Info(t)
	o.Describe("%s", t)
	o.Ends(int64(len(b)))
	if err != nil && len(t.Partitions) < 3 {
		return tree.ErrNot
	}
	return err
}

// tableAt are the offsets of the table that are looked at: the usual one, those that a larger boot loader moves it to, and the usual one in
// a file that begins where the boot loader of an ESP32 does.
var tableAt = []int64{0x8000, 0x9000, 0xA000, 0xB000, 0xC000, 0xD000, 0xE000, 0xF000, 0x10000, 0x18000, 0x20000, 0x7000}

const espLoaderAt = 0x1000 // where the boot loader of an ESP32 and ESP32-S2 lies; of the others at 0

func flashMagic() (all []tree.Magic) {
	for _, at := range tableAt {
		all = append(all, tree.Magic{At: at, Bytes: tableMagic})
	}
	return all
}

func openFlash(o *tree.Opening) error {
	for _, at := range tableAt {
		b, err := o.Read(at, int(min(tableSize, max(0, o.Size()-at))))
		if err != nil || len(b) < tableEntry || string(b[:2]) != tableMagic {
			continue
		}
		t, err := readTable(b)
		if errors.Is(err, tree.ErrNot) {
			continue
		}
		if err != nil {
			o.Note(at, "the entries of the partition table do not fit their MD5")
		}
		return openPartitions(o, t, at)
	}
	return tree.ErrNot
}

// openPartitions tells of everything that the table at an offset names. What lies beyond the end of the file is not there: merged files end
// with what is written.
func openPartitions(o *tree.Opening, t *ESPTable, table int64) error {
	base := int64(0) // where the file begins in the flash
	first, err := o.Read(0, 1)
	if err != nil {
		return err
	}
	loader := int64(0)
	if first[0] != 0xE9 {
		loader = espLoaderAt
	} else if table == 0x7000 {
		base = espLoaderAt
	}
	o.Info(t)
	o.Describe("%s", t)
	if loader < table {
		if _, err := o.Part("boot loader", loader, table-loader); err != nil {
			return err
		}
	}
	if _, err := o.Part("partition table", table, min(espSector, o.Size()-table)); err != nil {
		return err
	}
	for _, p := range t.Partitions {
		at := p.Offset - base
		if at < 0 || at >= o.Size() {
			continue
		}
		n, err := o.Part(p.Name, at, min(p.Size, o.Size()-at))
		if err != nil {
			return err
		}
		if p.Type == ESPData && p.Subtype == ESPNVSKeys {
			n.Info = nvsKeys(n)
		}
	}
	return nil
}

// ESPNVSKeySet is the partition with the keys of an encrypted NVS.
type ESPNVSKeySet struct {
	Readable bool // the keys are there in the clear
}

// nvsKeys looks whether keys are there: two of 32 bytes, and their CRC-32 (nvs_partition_gen.py).
func nvsKeys(n *tree.Node) *ESPNVSKeySet {
	b, err := n.Read(68)
	return &ESPNVSKeySet{Readable: err == nil && len(b) == 68 && !filled(b[:64], 0xFF) && crc32.Update(0xFFFFFFFF, crc32.IEEETable, b[:64]) == le32(b[64:])}
}

// espOTAData says which slot is started (esp_flash_partitions.h, esp_ota_select_entry_t): two sectors, of which the higher number counts.
var espOTAData = tree.Format{ID: "esp-otadata", Title: "ESP32 choice of slot", Open: openOTAData}

// ESPOTASelect is what otadata says.
type ESPOTASelect struct {
	Sequences []uint32 // valid entries; the highest counts
	States    []uint32 // of each: 0 new, 1 to be verified, 2 valid, 3 invalid, 4 aborted, 0xFFFFFFFF: it is not kept
}

// Unkept is the state of an entry of a boot loader that does not roll back.
const Unkept = 0xFFFFFFFF

func openOTAData(o *tree.Opening) error {
	if o.Size() != 2*espSector {
		return tree.ErrNot
	}
	b, err := o.Read(0, 2*espSector)
	if err != nil {
		return err
	}
	s := &ESPOTASelect{}
	for _, e := range [][]byte{b[:espSector], b[espSector:]} {
		if !filled(e[32:], 0xFF) {
			return tree.ErrNot
		}
		if seq := le32(e); seq != Unkept && crc32.Update(0xFFFFFFFF, crc32.IEEETable, e[:4]) == le32(e[28:]) {
			s.Sequences, s.States = append(s.Sequences, seq), append(s.States, le32(e[24:]))
		}
	}
	if len(s.Sequences) == 0 {
		return tree.ErrNot
	}
	o.Info(s)
	o.Describe("sequences %v, states %#x", s.Sequences, s.States)
	return nil
}
