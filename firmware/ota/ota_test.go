package ota

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"slices"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

func open(t testing.TB, data []byte) *tree.Node {
	t.Helper()
	o, err := tree.Open(context.Background(), "it", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), Formats, tree.Limits{Bytes: 1 << 20, Nodes: 2000, Unguarded: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}

// info gives what a reader made of the data, which is one T, and the contents by name.
func info[T any](t testing.TB, data []byte) (T, map[string]string) {
	t.Helper()
	root := open(t, data)
	nodes, all := tree.InfoOf[T](root)
	if len(all) != 1 {
		t.Fatalf("%d of %T: %v, %v", len(all), *new(T), root.Format, root.Notes)
	}
	contents := map[string]string{}
	for _, c := range nodes[0].Children {
		b, _ := c.Read(100)
		contents[c.Name] = string(b)
	}
	for _, n := range nodes[0].Notes {
		contents["note"] += n.String()
	}
	return all[0], contents
}

func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

func zigbeeSample() []byte {
	element := func(tag uint16, data string) []byte {
		return slices.Concat(u16(tag), u32(uint32(len(data))), []byte(data))
	}
	elements := slices.Concat(element(0, "image"), element(0xF000, "vendor"), element(3, "sixteen bytes..."))
	text := append([]byte("Bulb"), make([]byte, 28)...)
	return slices.Concat(u32(0x0BEEF11E), u16(0x0100), u16(60), u16(4), u16(0x117C), u16(0x2101), u32(0x23080631), u16(2), text, u32(uint32(60+len(elements))), u16(1), u16(9), elements)
}

func TestZigbee(t *testing.T) {
	got, contents := info[*Zigbee](t, zigbeeSample())
	want := &Zigbee{
		Manufacturer: 0x117C, ImageType: 0x2101, FileVersion: 0x23080631, StackVersion: 2, Text: "Bulb", HardwareMin: 1, HardwareMax: 9, Elements: []uint16{0, 0xF000, 3}, Integrity: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if want := map[string]string{"upgrade image": "image", "element 0xf000": "vendor", "integrity code": "sixteen bytes..."}; !reflect.DeepEqual(contents, want) {
		t.Errorf("%q, want %q", contents, want)
	}
	lying := zigbeeSample()
	lying[73] = 200
	if _, contents := info[*Zigbee](t, lying); contents["note"] != "at 0x47: an element is said to be 200 bytes long, and 28 are left" || len(contents["data without elements"]) != 34 {
		t.Errorf("%q", contents)
	}
}

// An update of a boot loader of Signify's has the header, and no elements.
func TestZigbeeWithoutElements(t *testing.T) {
	data := zigbeeSample()
	copy(data[10:], u16(0x100B))
	copy(data[60:], "*\x00\x01")
	got, contents := info[*Zigbee](t, data)
	if len(got.Elements) != 0 || len(contents["data without elements"]) != len(data)-60 || contents["note"] != "" {
		t.Errorf("%+v, %q", got, contents)
	}
}

func matterSample() []byte {
	text := func(tag byte, s string) []byte { return append([]byte{0x2C, tag, byte(len(s))}, s...) }
	digest := sha256.Sum256([]byte("payload"))
	head := slices.Concat([]byte{0x15}, []byte{0x25, 0}, u16(0xFFF1), []byte{0x25, 1}, u16(0x8000), []byte{0x26, 2}, u32(70000), text(3, "7.0"), []byte{0x27, 4}, u64(7),
		[]byte{0x24, 5, 1}, text(7, "https://maker.example/notes"), []byte{0x24, 8, 1}, []byte{0x30, 9, 32}, digest[:], []byte{0x18})
	return slices.Concat(u32(0x1BEEF11E), u64(uint64(16+len(head)+7)), u32(uint32(len(head))), head, []byte("payload"))
}

func TestMatter(t *testing.T) {
	got, contents := info[*Matter](t, matterSample())
	digest := sha256.Sum256([]byte("payload"))
	want := &Matter{
		Vendor: 0xFFF1, Product: 0x8000, Version: 70000, VersionText: "7.0", Size: 7, Minimum: 1, ReleaseNotes: "https://maker.example/notes", DigestKind: 1, Digest: digest[:],
		Checked: true, DigestFit: true,
	}
	if !reflect.DeepEqual(got, want) || contents["payload"] != "payload" {
		t.Errorf("%+v, want %+v; %q", got, want, contents)
	}
	damaged := matterSample()
	damaged[len(damaged)-1] ^= 1
	if got, contents := info[*Matter](t, damaged); got.DigestFit || contents["note"] == "" {
		t.Errorf("%+v, %q", got, contents)
	}
}

// Items of CBOR.
func uintItem(n uint64) []byte   { return head(0, n) }
func negItem(n uint64) []byte    { return head(1, n) } // -1 - n
func bytesItem(b []byte) []byte  { return append(head(2, uint64(len(b))), b...) }
func textItem(s string) []byte   { return append(head(3, uint64(len(s))), s...) }
func array(all ...[]byte) []byte { return append(head(4, uint64(len(all))), slices.Concat(all...)...) }

func pairs(all ...[]byte) []byte {
	return append(head(5, uint64(len(all)/2)), slices.Concat(all...)...)
}

func suitSample(signed bool) []byte {
	vendor := bytes.Repeat([]byte{0xFA}, 16)
	shared := array(uintItem(20), pairs(uintItem(1), bytesItem(vendor), uintItem(2), bytesItem([]byte("class"))), uintItem(1), uintItem(15))
	install := array(uintItem(20), pairs(uintItem(21), textItem("https://maker.example/f.bin")))
	manifest := bytesItem(pairs(uintItem(1), uintItem(1), uintItem(2), uintItem(5), uintItem(3), bytesItem(pairs(uintItem(4), bytesItem(shared))), uintItem(20), bytesItem(install)))
	digest := sha256.Sum256(manifest)
	wrapper := [][]byte{bytesItem(array(negItem(15), bytesItem(digest[:])))}
	if signed {
		block := append(head(6, 18), array(bytesItem(pairs(uintItem(1), negItem(6), uintItem(4), bytesItem([]byte("k1")))), pairs(), []byte{0xF6}, bytesItem(make([]byte, 64)))...)
		wrapper = append(wrapper, bytesItem(block))
	}
	return append([]byte{0xD8, 107}, pairs(uintItem(2), bytesItem(array(wrapper...)), uintItem(3), manifest, textItem("#file"), bytesItem([]byte("payload")))...)
}

func TestSUIT(t *testing.T) {
	got, contents := info[*SUIT](t, suitSample(true))
	want := &SUIT{
		Signatures: []string{"ES256"}, KeyIDs: []string{"6b31"}, Sequence: 5, Vendors: []string{"fafafafafafafafafafafafafafafafa"}, Classes: []string{"636c617373"},
		URIs: []string{"https://maker.example/f.bin"}, DigestFits: true, DigestKnown: true,
	}
	if !reflect.DeepEqual(got, want) || contents["#file"] != "payload" {
		t.Errorf("%+v, want %+v; %q", got, want, contents)
	}
	if got, _ := info[*SUIT](t, suitSample(false)); len(got.Signatures) != 0 {
		t.Errorf("not signed: %+v", got)
	}
	damaged := suitSample(true)
	damaged[bytes.Index(damaged, []byte("class"))] ^= 1
	if got, _ := info[*SUIT](t, damaged); got.DigestFits {
		t.Error("what was changed fits its digest")
	}
}

// The digest is that of example 0 of draft-ietf-suit-manifest, which its authors' generator made, as it is printed there.
func TestSUITExample(t *testing.T) {
	of := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	image := bytesItem(array(negItem(15), bytesItem(of("00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"))))
	shared := array(uintItem(20), pairs(
		uintItem(1), bytesItem(of("fa6b4a53d5ad5fdfbe9de663e4d41ffe")), uintItem(2), bytesItem(of("1492af1425695e48bf429b2d51f2ab45")), uintItem(3), image, uintItem(14), uintItem(34768),
	), uintItem(1), uintItem(15), uintItem(2), uintItem(15))
	common := pairs(uintItem(2), array(array(bytesItem([]byte{0}))), uintItem(4), bytesItem(shared))
	manifest := bytesItem(pairs(uintItem(1), uintItem(1), uintItem(2), uintItem(0), uintItem(3), bytesItem(common),
		uintItem(7), bytesItem(array(uintItem(3), uintItem(15))), uintItem(9), bytesItem(array(uintItem(23), uintItem(2)))))
	digest := bytesItem(array(negItem(15), bytesItem(of("6658ea560262696dd1f13b782239a064da7c6c5cbaf52fded428a6fc83c7e5af"))))
	es256, ed25519 := bytesItem(pairs(uintItem(1), negItem(6))), bytesItem(pairs(uintItem(1), negItem(18)))
	for want, block := range map[string][]byte{
		"[ES256]":         append(head(6, 18), array(es256, pairs(), []byte{0xF6}, bytesItem(make([]byte, 64)))...),
		"[ES256 Ed25519]": append(head(6, 98), array(bytesItem(nil), pairs(), []byte{0xF6}, array(array(es256, pairs(), bytesItem(make([]byte, 64))), array(ed25519, pairs(), bytesItem(make([]byte, 64)))))...),
	} {
		envelope := append([]byte{0xD8, 107}, pairs(uintItem(2), bytesItem(array(digest, bytesItem(block))), uintItem(3), manifest)...)
		if want == "[ES256]" && len(envelope) != 237 {
			t.Errorf("it is %d bytes long, and the example 237", len(envelope))
		}
		got, _ := info[*SUIT](t, envelope)
		if !got.DigestFits || fmt.Sprint(got.Signatures) != want || got.Vendors[0] != "fa6b4a53d5ad5fdfbe9de663e4d41ffe" || got.Classes[0] != "1492af1425695e48bf429b2d51f2ab45" {
			t.Errorf("%+v", got)
		}
	}
}

func payloadSample() []byte {
	manifest := []byte{12 << 3, 0, 13<<3 | 2, 8, 1<<3 | 2, 6, 's', 'y', 's', 't', 'e', 'm'}
	return slices.Concat([]byte("CrAU"), binary.BigEndian.AppendUint64(nil, 2), binary.BigEndian.AppendUint64(nil, uint64(len(manifest))), []byte{0, 0, 0, 4}, manifest, []byte("sign"), []byte("data"))
}

func TestPayload(t *testing.T) {
	got, contents := info[*Payload](t, payloadSample())
	if want := (&Payload{Partitions: []string{"system"}, Signed: true}); !reflect.DeepEqual(got, want) || contents["operations"] != "data" {
		t.Errorf("%+v, want %+v; %q", got, want, contents)
	}
}

func samples() [][]byte {
	return [][]byte{zigbeeSample(), matterSample(), suitSample(true), payloadSample()}
}

// However a file is cut short, what is left is told without harm.
func TestCutShort(t *testing.T) {
	for _, data := range samples() {
		for n := range data {
			for node := range open(t, data[:n]).All() {
				if node.Size() > int64(len(data)) {
					t.Fatalf("%s of %d bytes has %d", node.Path(), n, node.Size())
				}
			}
		}
	}
}

// Each is found in the midst of other data.
func TestSearched(t *testing.T) {
	for _, sample := range samples() {
		root := open(t, slices.Concat(bytes.Repeat([]byte("before.."), 100), sample, bytes.Repeat([]byte("after..."), 100)))
		if !slices.ContainsFunc(root.Children, func(n *tree.Node) bool { return n.Format != "" && n.Offset == 800 }) {
			t.Errorf("%x is not found", sample[:4])
		}
	}
}

func fuzz(f *testing.F, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for n := range open(t, data).All() {
			if n.Parent != nil && (n.Offset < 0 || n.Offset+n.Size() > n.Parent.Size()) {
				t.Fatalf("%s lies outside", n.Path())
			}
		}
	})
}

func FuzzZigbee(f *testing.F)  { fuzz(f, zigbeeSample()) }
func FuzzMatter(f *testing.F)  { fuzz(f, matterSample()) }
func FuzzSUIT(f *testing.F)    { fuzz(f, suitSample(true), suitSample(false)) }
func FuzzPayload(f *testing.F) { fuzz(f, payloadSample()) }
