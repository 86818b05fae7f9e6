//go:build peers

package firmware

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/ota"
)

// python runs a script of Python with the modules that scripts/peers unpacks.
func python(t testing.TB, script string, args ...string) []byte {
	t.Helper()
	return tool(t, "/usr/bin/python3", append([]string{"-S", "-c", zigpy + script}, args...)...)
}

// zigpy makes the modules of zigpy that read and write images known; what it does with a network is left out.
const zigpy = `
import sys, types, json, base64
root = "../../.peers/images/usr/lib/python3/dist-packages"
sys.path.insert(0, root)
package = types.ModuleType("zigpy.ota")
package.__path__ = [root + "/zigpy/ota"]
sys.modules["zigpy.ota"] = package
import zigpy.types as t
from zigpy.ota.image import *
from zigpy.ota.validators import *
`

// zigbeeMakes writes an image for each set of options that a header can have.
const zigbeeMakes = `
made = []
for control in range(8):
    header = OTAImageHeader(upgrade_file_id=OTAImageHeader.MAGIC_VALUE, header_version=0x0100, header_length=56, field_control=control, manufacturer_id=0x1234,
        image_type=0x5678, file_version=0x01020304, stack_version=2, header_string="A bulb of 32 characters, exactly"[:32], image_size=0)
    if control & 1: header.security_credential_version = 3
    if control & 2: header.upgrade_file_destination = t.EUI64.convert("00:0d:6f:00:11:22:33:44")
    if control & 4: header.minimum_hardware_version, header.maximum_hardware_version = 0x0102, 0x0304
    header.header_length = len(header.serialize())
    image = OTAImage(header=header, subelements=[SubElement(tag_id=tag, data=bytes([tag & 255]) * (1000 + tag % 7)) for tag in [0, 1, 2, 3, 4, 5, 6, 0xF001]])
    header.image_size = header.header_length + sum(len(e.serialize()) for e in image.subelements)
    made.append({"file": base64.b64encode(image.serialize()).decode(), "control": control})
print(json.dumps(made))
`

func TestZigbeeOfZigpy(t *testing.T) {
	var made []struct {
		File    []byte
		Control int
	}
	if err := json.Unmarshal(python(t, zigbeeMakes), &made); err != nil || len(made) != 8 {
		t.Fatalf("%d files, %v", len(made), err)
	}
	for _, m := range made {
		root := opened(t, m.File)
		want := &ota.Zigbee{
			Manufacturer: 0x1234, ImageType: 0x5678, FileVersion: 0x01020304, StackVersion: 2, Text: "A bulb of 32 characters, exactly",
			Elements: []uint16{0, 1, 2, 3, 4, 5, 6, 0xF001}, Signed: true, Integrity: true,
		}
		if m.Control&2 != 0 {
			want.Destination = []byte{0x44, 0x33, 0x22, 0x11, 0x00, 0x6F, 0x0D, 0x00}
		}
		if m.Control&4 != 0 {
			want.HardwareMin, want.HardwareMax = 0x0102, 0x0304
		}
		if diff := cmp.Diff(want, root.Info); diff != "" || len(root.Notes) > 0 {
			t.Fatalf("options %d: %v\n%s", m.Control, root.Notes, diff)
		}
		for i, tag := range want.Elements {
			if got, err := root.Children[i].Read(1 << 20); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(tag)}, 1000+int(tag)%7)) {
				t.Errorf("options %d: %s is %d bytes, %v", m.Control, root.Children[i].Name, len(got), err)
			}
		}
	}
	// What zigpy does not read is noted.
	reads := zigpy + `OTAImage.deserialize(open(sys.argv[1], "rb").read())`
	whole := made[0].File
	tool(t, "/usr/bin/python3", "-S", "-c", reads, stored(t, "whole", whole))
	lying := bytes.Clone(whole)
	lying[56+5] = 1 // of the size of the first element
	for name, data := range map[string][]byte{"cut short": whole[:3000], "an element that is too long": lying} {
		refused(t, "/usr/bin/python3", "-S", "-c", reads, stored(t, "damaged", data))
		if root := opened(t, data); root.Format != "zigbee-ota" || len(root.Notes) == 0 {
			t.Errorf("%s: %s %v", name, root.Format, root.Notes)
		}
	}
}

// In the containers of makers that zigpy knows, the image is found.
func TestZigbeeContainers(t *testing.T) {
	var made []struct{ File []byte }
	if err := json.Unmarshal(python(t, zigbeeMakes), &made); err != nil {
		t.Fatal(err)
	}
	image := made[4].File
	u32 := func(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
	reads := zigpy + `print(json.dumps(len(parse_ota_image(open(sys.argv[1], "rb").read())[0].subelements)))`
	for name, data := range map[string][]byte{
		"IKEA":    slices.Concat([]byte("NGIS"), make([]byte, 12), u32(64), u32(len(image)), make([]byte, 40), image, noise(1, 512)),
		"Legrand": slices.Concat(u32(len(image)), image, noise(2, 17)),
	} {
		if got := bytes.TrimSpace(tool(t, "/usr/bin/python3", "-S", "-c", reads, stored(t, "container", data))); string(got) != "8" {
			t.Fatalf("%s: zigpy finds %s elements", name, got)
		}
		found := 0
		for n := range opened(t, data).All() {
			if z, ok := n.Info.(*ota.Zigbee); ok && len(z.Elements) == 8 && len(n.Notes) == 0 {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: %d images", name, found)
		}
	}
	// Signify's update of boot loaders has nothing but a header in common.
	hue := bytes.Clone(image[:60])
	binary.LittleEndian.PutUint16(hue[10:], 0x100B)
	binary.LittleEndian.PutUint32(hue[52:], 60+500)
	body := append([]byte{0x2A, 0, 1}, noise(3, 497)...)
	hue = append(hue, body...)
	if got := tool(t, "/usr/bin/python3", "-S", "-c", zigpy+`print(type(parse_ota_image(open(sys.argv[1], "rb").read())[0]).__name__)`, stored(t, "hue", hue)); string(bytes.TrimSpace(got)) != "HueSBLOTAImage" {
		t.Fatalf("zigpy takes it for %s", got)
	}
	root := opened(t, hue)
	if root.Format != "zigbee-ota" || len(root.Notes) > 0 || len(root.Children) != 1 {
		t.Fatalf("%s %v", root.Format, root.Notes)
	}
	if got, err := root.Children[0].Read(1 << 20); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// gblReads has zigpy read a Gecko Bootloader file: it prints its tags, and fails when the checksum does not fit.
const gblReads = `
print(json.dumps([{"tag": int.from_bytes(tag, "little"), "value": base64.b64encode(value).decode()} for tag, value in parse_silabs_gbl(open(sys.argv[1], "rb").read())]))
`

// Files for Silicon Labs' boot loader, which nothing here makes, are read as zigpy reads them.
func TestGBLAsZigpy(t *testing.T) {
	u32 := func(v ...uint32) (b []byte) {
		for _, v := range v {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	tag := func(id uint32, parts ...[]byte) []byte {
		value := slices.Concat(parts...)
		return slices.Concat(u32(id, uint32(len(value))), value)
	}
	program := noise(5, 3000)
	file := slices.Concat(
		tag(0x03A617EB, u32(0x03000000, 0)), tag(0xF40A0AF4, u32(4, 0x01020304, 0), []byte("product id, 16 b")), tag(0xF60808F6, []byte(`{"metadata_version": 2}`)),
		tag(0xFE0101FE, u32(0x4000), program), tag(0xF70A0AF7, noise(6, 64)), u32(0xFC0404FC, 4),
	)
	file = append(file, u32(crc32.ChecksumIEEE(file))...)
	padded := append(bytes.Clone(file), 0xFF, 0xFF)
	for _, data := range [][]byte{file, padded} {
		var tags []struct {
			Tag   uint32
			Value []byte
		}
		if err := json.Unmarshal(python(t, gblReads, stored(t, "gbl", data)), &tags); err != nil || len(tags) != 6 {
			t.Fatalf("%d tags, %v", len(tags), err)
		}
		root := opened(t, data)
		if root.Format == "" && len(root.Children) > 0 {
			root = root.Children[0]
		}
		g, ok := root.Info.(*mcu.GBL)
		want := &mcu.GBL{Signed: true, App: true, AppType: 4, Version: 0x01020304, ProductID: fmt.Sprintf("%x", "product id, 16 b"), Intact: true}
		if diff := cmp.Diff(want, g); !ok || diff != "" || len(root.Notes) > 0 {
			t.Fatalf("%s %v\n%s", root.Format, root.Notes, diff)
		}
		for i, content := range map[int][]byte{0: tags[2].Value, 1: tags[3].Value[4:]} {
			if got, err := root.Children[i].Read(1 << 20); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s is %d bytes, and zigpy has %d, %v", root.Children[i].Name, len(got), len(content), err)
			}
		}
	}
	file[200] ^= 1
	refused(t, "/usr/bin/python3", "-S", "-c", zigpy+gblReads, stored(t, "damaged", file))
	if g, ok := opened(t, file).Info.(*mcu.GBL); !ok || g.Intact {
		t.Errorf("what was damaged is fine: %+v", g)
	}
}

// matterMakes has matter.js write images with each digest that it knows, and read them, and what was damaged of them.
const matterMakes = `
import { OtaImageReader, OtaImageWriter } from "@matter/protocol";
import { Bytes, StandardCrypto } from "@matter/general";
const crypto = new StandardCrypto(globalThis.crypto);
const payload = new Uint8Array(Buffer.from(process.argv[1], "base64"));
const fits = async (image) => {
	try { // without the last option the digest is not looked at
		await OtaImageReader.file(new Blob([image]).stream().getReader(), crypto, undefined, { calculateFullChecksum: false });
		return true;
	} catch (e) {
		return false;
	}
};
const made = [];
for (const imageDigestType of ["SHA-256", "SHA-384", "SHA-512"]) {
	for (const more of [{}, { minApplicableSoftwareVersion: 1, maxApplicableSoftwareVersion: 70000, releaseNotesUrl: "https://maker.example/notes/7" }]) {
		const { image } = await OtaImageWriter.create(crypto, { vendorId: 0xfff1, productId: 0x8001, softwareVersion: 70001, softwareVersionString: "7.0.1-é", payload, imageDigestType, ...more });
		const damaged = Uint8Array.from(Bytes.of(image));
		damaged[damaged.length - 7] ^= 1;
		made.push({ file: Buffer.from(Bytes.of(image)).toString("base64"), digest: imageDigestType, more: "releaseNotesUrl" in more, fits: await fits(Bytes.of(image)), damagedFits: await fits(damaged) });
	}
}
console.log(JSON.stringify(made));
`

func TestMatterOfMatterJS(t *testing.T) {
	payload := noise(8, 5000)
	var made []struct {
		File   []byte
		Digest string
		More   bool
		Fits   bool

		DamagedFits bool
	}
	if err := json.Unmarshal(node(t, matterMakes, base64.StdEncoding.EncodeToString(payload)), &made); err != nil || len(made) != 6 {
		t.Fatalf("%d images, %v", len(made), err)
	}
	kinds := map[string]uint64{"SHA-256": 1, "SHA-384": 7, "SHA-512": 8}
	for _, m := range made {
		root := opened(t, append(m.File, "more"...))
		if root.Format == "" && len(root.Children) > 0 {
			root = root.Children[0]
		}
		got, ok := root.Info.(*ota.Matter)
		if !ok {
			t.Fatalf("%s: %v", root.Format, root.Notes)
		}
		want := &ota.Matter{
			Vendor: 0xFFF1, Product: 0x8001, Version: 70001, VersionText: "7.0.1-é", Size: 5000, DigestKind: kinds[m.Digest], Digest: got.Digest, Checked: true, DigestFit: true,
		}
		if m.More {
			want.Minimum, want.Maximum, want.ReleaseNotes = 1, 70000, "https://maker.example/notes/7"
		}
		if diff := cmp.Diff(want, got); diff != "" || len(root.Notes) > 0 {
			t.Errorf("%s: %v\n%s", m.Digest, root.Notes, diff)
		}
		if got, err := root.Children[0].Read(1 << 20); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%d bytes of %d, %v", len(got), len(payload), err)
		}
		m.File[len(m.File)-7] ^= 1
		if got, ok := opened(t, m.File).Info.(*ota.Matter); !m.Fits || m.DamagedFits || !ok || got.DigestFit || !got.Checked {
			t.Errorf("%s: what was damaged is fine: %+v, and matter.js says %v", m.Digest, got, m.DamagedFits)
		}
	}
}
