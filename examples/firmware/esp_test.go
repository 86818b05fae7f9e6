//go:build peers

package firmware

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/mcu"
)

// esptoolMakes has esptool-js, the flasher of Espressif, build an application for each chip that it knows, and read it, and one that was damaged.
const esptoolMakes = `
import { ELFSection } from "esptool-js/lib/image/base.js";
import { loadFirmwareImage } from "esptool-js/lib/image/index.js";
import * as images from "esptool-js/lib/image/others.js";
import { ESP32FirmwareImage } from "esptool-js/lib/image/esp32.js";
console.warn = () => {};
const made = [];
for (const chip of process.argv.slice(1)) {
	const rom = Object.values(await import("esptool-js/lib/targets/" + chip + ".js")).map((c) => new c()).find((r) => r.IMAGE_CHIP_ID !== undefined);
	const image = new ({ ESP32FirmwareImage, ...images }[chip.toUpperCase() + "FirmwareImage"])(rom, null, false);
	image.entrypoint = rom.MEMORY_MAP.find((m) => m[2] == "IRAM")[0] + 4;
	const add = (name, address, size) => {
		const data = new Uint8Array(size);
		for (let i = 0; i < size; i++) data[i] = (i * i + 7 * name.length + address / 4096) & 255;
		image.segments.push(new ELFSection(name, address, data, 0));
	};
	add(".flash.rodata", rom.DROM_MAP_START + 0x20, 3000);
	add(".flash.text", (rom.IROM_MAP_START === rom.DROM_MAP_START ? rom.IROM_MAP_START + 0x20000 : rom.IROM_MAP_START) + 0x20, 70001);
	add(".iram0.vectors", rom.MEMORY_MAP.find((m) => m[2] == "IRAM")[0], 70000);
	add(".dram0.data", rom.MEMORY_MAP.find((m) => m[2] == "DRAM")[0] + 0x20000, 70000); // a data segment fills up to the next page of flash: esptool-js writes it wrong when it is too short
	const segments = image.segments.map((s) => ({ address: s.addr, data: Buffer.from(s.data).toString("base64") }));
	const out = await image.save();
	let end = 24;
	for (let i = 0; i < out[1]; i++) end += 8 + new DataView(out.buffer).getUint32(end + 4, true);
	const file = out.slice(0, (end | 15) + 1);
	const fits = async (b) => { const i = await loadFirmwareImage(rom, b); return i.checksum === i.calculateChecksum(); };
	const damaged = file.slice();
	damaged[5000] ^= 0x20;
	made.push({ chip: rom.CHIP_NAME, entry: image.entrypoint, segments, file: Buffer.from(file).toString("base64"), fits: await fits(file), damagedFits: await fits(damaged) });
}
console.log(JSON.stringify(made));
`

// Of what esptool-js builds for every chip of the family each byte is found at its address.
func TestESPImagesOfEsptool(t *testing.T) {
	var images []struct {
		Chip  string
		Entry uint32
		File  []byte
		Fits  bool

		DamagedFits bool
		Segments    []struct {
			Address uint32
			Data    []byte
		}
	}
	chips := []string{"esp32", "esp32s2", "esp32s3", "esp32s31", "esp32c2", "esp32c3", "esp32c5", "esp32c6", "esp32c61", "esp32e22", "esp32h2", "esp32h21", "esp32h4", "esp32p4"}
	if err := json.Unmarshal(node(t, esptoolMakes, chips...), &images); err != nil || len(images) != len(chips) {
		t.Fatalf("%d images, %v", len(images), err)
	}
	for _, image := range images {
		t.Run(image.Chip, func(t *testing.T) {
			root := opened(t, image.File)
			i, ok := root.Info.(*mcu.ESPImage)
			if !ok {
				t.Fatalf("it is taken for %q: %v", root.Format, root.Notes)
			}
			if i.Chip != image.Chip || i.Entry != image.Entry || !image.Fits || !i.ChecksumFits || i.Hashed || int(i.Length) != len(image.File) || len(root.Notes) > 0 {
				t.Errorf("%s: %+v %v, and esptool says %v", image.Chip, i, root.Notes, image.Fits)
			}
			memory := map[uint32]byte{}
			for _, n := range root.Children {
				var address uint32
				if _, err := fmt.Sscanf(n.Name, "segment for %v", &address); err != nil {
					t.Fatal(n.Name, err)
				}
				data, err := n.Read(1 << 20)
				if err != nil {
					t.Fatal(err)
				}
				for k, c := range data {
					memory[address+uint32(k)] = c
				}
			}
			for _, s := range image.Segments {
				for k, c := range s.Data {
					if got, ok := memory[s.Address+uint32(k)]; !ok || got != c {
						t.Fatalf("at %#x is %#x, and esptool put %#x there", s.Address+uint32(k), got, c)
					}
				}
			}
			image.File[5000] ^= 0x20
			if i := opened(t, image.File).Info; image.DamagedFits || i != nil && i.(*mcu.ESPImage).Intact() {
				t.Errorf("what was damaged is fine: %+v, esptool %v", i, image.DamagedFits)
			}
		})
	}
}

// esptoolReads has esptool-js read an image for the ESP8266.
const esptoolReads = `
import { ESP8266ROM } from "esptool-js/lib/targets/esp8266.js";
import { loadFirmwareImage } from "esptool-js/lib/image/index.js";
import { readFileSync } from "node:fs";
console.warn = () => {};
const image = await loadFirmwareImage(new ESP8266ROM(), new Uint8Array(readFileSync(process.argv[1])));
await new Promise((r) => setTimeout(r, 1)); // it does not wait for its own reading of version 2
console.log(JSON.stringify({ version: image.version, entry: image.entrypoint, fits: image.checksum === image.calculateChecksum(),
	segments: image.segments.map((s) => ({ address: s.addr, data: Buffer.from(s.data).toString("base64") })) }));
`

// Images for the ESP8266, which nothing here makes, are read as esptool-js reads them.
func TestESP8266AsEsptool(t *testing.T) {
	word := func(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
	code, vectors, data := noise(1, 3000), noise(2, 996), noise(3, 512)
	segments := slices.Concat(word(0x40100000), word(len(vectors)), vectors, word(0x3FFE8000), word(len(data)), data)
	first := slices.Concat([]byte{0xE9, 2, 2, 0x40}, word(0x40100004), segments)
	for name, c := range map[string]struct {
		version int
		file    []byte
	}{
		"version 1": {1, first},
		"version 2": {2, slices.Concat([]byte{0xEA, 4, 2, 0x40}, word(0x40100004), word(0), word(len(code)), code, first)},
	} {
		t.Run(name, func(t *testing.T) {
			sum := byte(0xEF)
			for _, b := range slices.Concat(vectors, data) {
				sum ^= b
			}
			file := c.file
			for len(file)%16 != 15 {
				file = append(file, 0)
			}
			file = append(file, sum)
			for _, damaged := range []bool{false, true} {
				if damaged {
					file[len(file)-100] ^= 1
				}
				var want struct {
					Version  int
					Entry    uint32
					Fits     bool
					Segments []struct {
						Address uint32
						Data    []byte
					}
				}
				if err := json.Unmarshal(node(t, esptoolReads, stored(t, "image", file)), &want); err != nil {
					t.Fatal(err)
				}
				root := opened(t, file)
				got, ok := root.Info.(*mcu.ESP8266Image)
				if !ok || got.Version != want.Version || got.Version != c.version || got.Entry != want.Entry || got.ChecksumFits != want.Fits || want.Fits == damaged {
					t.Fatalf("%s %+v, and esptool says %d, %#x, %v", root.Format, root.Info, want.Version, want.Entry, want.Fits)
				}
				if len(root.Children) != len(want.Segments) {
					t.Fatalf("%d segments of %d", len(root.Children), len(want.Segments))
				}
				for i, s := range want.Segments {
					n := root.Children[i]
					if b, err := n.Read(1 << 20); err != nil || !bytes.Equal(b, s.Data) || n.Name != fmt.Sprintf("segment for %#x", s.Address) {
						t.Errorf("%s is %d bytes, and esptool has %d for %#x, %v", n.Name, len(b), len(s.Data), s.Address, err)
					}
				}
			}
		})
	}
}

// tableRead has the flasher of Tasmota read a partition table.
const tableRead = `
import { readFileSync } from "node:fs";
const { parsePartitionTable } = await import("../../.peers/images/npm/tasmota-webserial-esptool/dist/partition.js");
console.log(JSON.stringify(parsePartitionTable(new Uint8Array(readFileSync(process.argv[1])))));
`

func TestESPPartitionsAsTasmota(t *testing.T) {
	table := []byte{}
	for i, p := range []mcu.ESPPartition{
		{Name: "nvs", Type: 1, Subtype: 2, Offset: 0x9000, Size: 0x5000},
		{Name: "otadata", Type: 1, Offset: 0xE000, Size: 0x2000},
		{Name: "a name of 16 byt", Type: 0, Subtype: 0x10, Offset: 0x10000, Size: 0x1E0000, Encrypted: true},
		{Name: "app1", Type: 0, Subtype: 0x11, Offset: 0x1F0000, Size: 0x1E0000},
		{Name: "spiffs", Type: 1, Subtype: 0x82, Offset: 0x3D0000, Size: 0x30000, ReadOnly: true},
	} {
		e := make([]byte, 32)
		copy(e, "\xAA\x50")
		e[2], e[3] = p.Type, p.Subtype
		binary.LittleEndian.PutUint32(e[4:], uint32(p.Offset))
		binary.LittleEndian.PutUint32(e[8:], uint32(p.Size))
		copy(e[12:28], p.Name)
		e[28] = map[int]byte{2: 1, 4: 2}[i]
		table = append(table, e...)
	}
	table = append(table, bytes.Repeat([]byte{0xFF}, 0xC00-len(table))...)
	var want []struct {
		Name                  string
		Type, Subtype         byte
		Offset, Size          int64
		Flags                 int
		TypeName, SubtypeName string
	}
	if err := json.Unmarshal(node(t, tableRead, stored(t, "table", table)), &want); err != nil {
		t.Fatal(err)
	}
	root := opened(t, table)
	got, ok := root.Info.(*mcu.ESPTable)
	if !ok || len(got.Partitions) != len(want) || len(want) != 5 {
		t.Fatalf("%s %+v, and Tasmota reads %d", root.Format, root.Info, len(want))
	}
	for i, w := range want {
		if g := got.Partitions[i]; g != (mcu.ESPPartition{Name: w.Name, Type: w.Type, Subtype: w.Subtype, Offset: w.Offset, Size: w.Size, Encrypted: w.Flags&1 != 0, ReadOnly: w.Flags&2 != 0}) {
			t.Errorf("%+v, and Tasmota reads %+v", g, w)
		}
		if g := got.Partitions[i]; g.OTA() != strings.HasPrefix(w.SubtypeName, "ota_") {
			t.Errorf("%s is a slot for updates: %v, and Tasmota calls it %s", g.Name, g.OTA(), w.SubtypeName)
		}
	}
}
