//go:build peers

package firmware

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/mcu"
)

// uf2Makes has the library of Wokwi write the same bytes for every family that it knows, or that esptool-js does, in blocks of so many bytes.
const uf2Makes = `
import { encodeBlock, uf2Families } from "uf2";
import { readdirSync } from "node:fs";
const families = uf2Families.map((f) => ({ id: f.id, name: f.shortName }));
for (const file of readdirSync("node_modules/esptool-js/lib/targets")) {
	if (!/^esp.*\.js$/.test(file)) continue;
	for (const chip of Object.values(await import("esptool-js/lib/targets/" + file)).map((c) => new c()))
		if (chip.UF2_FAMILY_ID) families.push({ id: chip.UF2_FAMILY_ID, name: chip.CHIP_NAME });
}
const file = (id, size) => {
	const data = Buffer.from(process.argv[1], "base64");
	const total = Math.ceil(data.length / size);
	const out = new Uint8Array(total * 512);
	for (let i = 0; i < total; i++) {
		const payload = data.subarray(i * size, (i + 1) * size);
		encodeBlock({ flags: 0x2000, flashAddress: 0x10000000 + i * size, payload, blockNumber: i, totalBlocks: total, boardFamily: id }, out, i * 512);
	}
	return Buffer.from(out).toString("base64");
};
console.log(JSON.stringify(families.flatMap((f) => [256, 476].map((size) => ({ ...f, file: file(f.id, size) })))));
`

// uf2Reads has it read a file: it says whether all blocks are fine.
const uf2Reads = `
import { decodeBlock } from "uf2";
import { readFileSync } from "node:fs";
const file = readFileSync(process.argv[1]);
for (let at = 0; at < file.length; at += 512) decodeBlock(new Uint8Array(file.subarray(at, at + 512)));
`

func TestUF2OfWokwi(t *testing.T) {
	data := noise(9, 3000)
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	var files []struct {
		ID   uint32
		Name string
		File []byte
	}
	if err := json.Unmarshal(node(t, uf2Makes, strings.Trim(string(text), `"`)), &files); err != nil || len(files) < 80 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		root := opened(t, f.File)
		u, ok := root.Info.(*mcu.UF2)
		if !ok || len(u.Families) != 1 || u.Faults != 0 || len(u.Regions) != 1 || len(root.Notes) > 0 {
			t.Errorf("%s: %s %v", f.Name, root.Format, root.Notes)
			continue
		}
		if strings.HasPrefix(u.Families[0], "number") {
			t.Errorf("%s is called %s", f.Name, u.Families[0])
		}
		if r := u.Regions[0]; r.Address != 0x10000000 || !bytes.Equal(r.Data, data) {
			t.Errorf("%s: %d bytes from %#x", f.Name, len(r.Data), r.Address)
		}
	}
	first := files[0].File
	node(t, uf2Reads, stored(t, "whole", first))
	for name, damage := range map[string]func(b []byte){
		"a block without its end":  func(b []byte) { b[512+509] ^= 1 },
		"a block that is too long": func(b []byte) { b[512+17] = 2 },
	} {
		damaged := bytes.Clone(first)
		damage(damaged)
		refused(t, "node", "--input-type=module", "--eval", uf2Reads, "--", stored(t, "damaged", damaged))
		root := opened(t, damaged)
		if u, ok := root.Info.(*mcu.UF2); !ok || u.Faults == 0 && len(root.Notes) == 0 {
			t.Errorf("%s: %s %+v", name, root.Format, root.Info)
		}
	}
}
