package mcu

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func entry(kind uint16, value []byte) []byte {
	b := make([]byte, 4)
	put16(b, kind)
	put16(b[2:], uint16(len(value)))
	return append(b, value...)
}

func list(magic uint16, entries ...[]byte) []byte {
	b := make([]byte, 4)
	put16(b, magic)
	all := slices.Concat(entries...)
	put16(b[2:], uint16(4+len(all)))
	return append(b, all...)
}

// sampleKey is the KEYHASH of MCUboot's root-ec-p256.pem.
const sampleKey = "e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6"

func mcubootSample(signed bool) []byte {
	code := bytes.Repeat([]byte("thumb..."), 10)
	protected := list(mcubootProtected, entry(tlvCounter, word(9)), entry(tlvDepends, make([]byte, 12)))
	head := make([]byte, 64)
	put32(head, 0x96F3B83D)
	put16(head[8:], 64)
	put16(head[10:], uint16(len(protected)))
	put32(head[12:], uint32(len(code)))
	head[20], head[21] = 1, 2
	put16(head[22:], 3)
	put32(head[24:], 4)
	b := slices.Concat(head, code, protected)
	h := sha256.Sum256(b)
	entries := [][]byte{entry(tlvSHA256, h[:])}
	if signed {
		key, _ := hex.DecodeString(sampleKey)
		entries = append(entries, entry(tlvKeyHash, key), entry(0x22, make([]byte, 70)))
	}
	return append(b, list(mcubootList, entries...)...)
}

func TestMCUboot(t *testing.T) {
	t.Parallel()
	got := info[*MCUboot](t, mcubootSample(true))
	want := &MCUboot{
		Version: "1.2.3+4", Hash: "SHA-256", Checked: true, HashFits: true, Signatures: []string{"ECDSA"}, KeyHash: sampleKey, Counted: true, Counter: 9, Depends: 1,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got.Sample() != "root-ec-p256.pem" {
		t.Errorf("the key is taken for %q", got.Sample())
	}
	got.KeyHash = sampleKey[:8]
	if got.Sample() != "root-ec-p256.pem" {
		t.Errorf("by the beginning of its hash the key is taken for %q", got.Sample())
	}
	if got := info[*MCUboot](t, mcubootSample(false)); len(got.Signatures) != 0 || got.Sample() != "" {
		t.Errorf("not signed: %+v", got)
	}
	damaged := mcubootSample(true)
	damaged[70] ^= 1
	if got := info[*MCUboot](t, damaged); got.HashFits {
		t.Error("what was changed fits its hash")
	}
	damaged[16] = mcubootSplit
	if got := info[*MCUboot](t, damaged); got.Checked || got.HashFits {
		t.Errorf("started by another: %+v", got)
	}
	damaged = mcubootSample(true)
	damaged[16] = mcubootAES128
	if got := info[*MCUboot](t, damaged); got.Checked || !got.Encrypted {
		t.Errorf("encrypted: %+v", got)
	}
}

func tag(id uint32, data ...[]byte) []byte {
	all := slices.Concat(data...)
	return slices.Concat(word(id), word(uint32(len(all))), all)
}

func gblSample(signed bool) []byte {
	kind := uint32(0)
	if signed {
		kind = 0x100
	}
	b := slices.Concat(tag(gblHeader, word(0x03000000), word(kind)), tag(gblApplication, word(0x20), word(0x10203), word(0), bytes.Repeat([]byte{0xAB}, 16)),
		tag(gblProgram, word(0x8000), []byte("program")))
	if signed {
		b = append(b, tag(gblSignature, make([]byte, 64))...)
	}
	end := tag(gblEnd, word(0))
	b = append(b, end...)
	put32(b[len(b)-4:], crc32.ChecksumIEEE(b[:len(b)-4]))
	return b
}

func TestGBL(t *testing.T) {
	t.Parallel()
	want := &GBL{Signed: true, App: true, AppType: 0x20, Version: 0x10203, ProductID: strings.Repeat("ab", 16), Intact: true}
	if got := info[*GBL](t, gblSample(true)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := info[*GBL](t, gblSample(false)); got.Signed || !got.Intact {
		t.Errorf("not signed: %+v", got)
	}
	damaged := gblSample(true)
	damaged[60] ^= 1
	if got := info[*GBL](t, damaged); got.Intact {
		t.Error("what was changed fits its checksum")
	}
}

func telinkSample() []byte {
	b := make([]byte, 80)
	put32(b[2:], 0x01020304)
	put16(b[6:], 0x025D)
	copy(b[8:], "KNLT")
	put16(b[18:], 0x1141)
	put16(b[20:], 0x0203)
	put32(b[24:], 80)
	put32(b[76:], ^crc32.ChecksumIEEE(b[:76]))
	return b
}

func TestTelink(t *testing.T) {
	t.Parallel()
	if got, want := info[*Telink](t, telinkSample()), (&Telink{0x01020304, 0x1141, 0x0203, true}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func dfuSample(content []byte) []byte {
	b := slices.Concat(content, []byte{0x00, 0x22, 0x11, 0xDF, 0x83, 0x04, 0x1A, 0x01}, []byte("UFD\x10"))
	return append(b, word(^crc32.ChecksumIEEE(b))...)
}

func dfuseSample() []byte {
	element := slices.Concat(word(0x08000000), word(5), []byte("hello"))
	target := slices.Concat([]byte("Target\x00"), word(1), fixed("ST...", 255), word(uint32(len(element))), word(1), element)
	return dfuSample(slices.Concat([]byte("DfuSe\x01"), word(uint32(11+len(target))), []byte{1}, target))
}

func TestDFU(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"plain": {dfuSample([]byte("firmware")), "it [dfu] 24 (for USB 0483:df11, not signed)\nit: firmware at 0x0 [] 8 \"firmware\"\n"},
		"a prefix for LPC": {
			append([]byte("\xDA\xFF prefix of 16."), dfuSample([]byte("firmware"))...), "it [dfu] 40 (for USB 0483:df11, not signed)\nit: firmware at 0x0 [] 24 \"\\xda\\xff prefix of 16.firmware\"\n",
		},
		"DfuSe": {dfuseSample(), "it [dfuse] 314 (for USB 0483:df11, not signed)\nit: setting 0, memory from 0x8000000 at 0x125 [] 5 \"hello\"\n"},
		"damaged": {
			append([]byte("F"), dfuSample([]byte("firmware"))[1:]...),
			"it [dfu] 24 (for USB 0483:df11, not signed)\n! at 0x14: it does not fit its checksum\nit: firmware at 0x0 [] 8 \"Firmware\"\n",
		},
	} {
		if got := told(t, open(t, c.data)); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.want)
		}
	}
}

// number and nested are fields of protocol buffers.
func number(field, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, field<<3), v)
}

func nested(field uint64, parts ...[]byte) []byte {
	all := slices.Concat(parts...)
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, field<<3|2), uint64(len(all))), all...)
}

func nordicPacket(signed bool, image []byte) []byte {
	h := sha256.Sum256(image)
	command := slices.Concat(number(1, 1), nested(2, number(1, 4), number(2, 52), nested(3, []byte{0xAF, 0x01}), number(4, 0), number(7, uint64(len(image))),
		nested(8, number(1, 3), nested(2, reversed(h[:])))))
	if !signed {
		return nested(1, command)
	}
	return nested(2, nested(1, command), number(2, 0), nested(3, make([]byte, 64)))
}

func nordicZIP(signed bool) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	put := func(name string, data []byte) {
		f, _ := w.Create(name)
		_, _ = f.Write(data)
	}
	put("manifest.json", []byte(`{"manifest": {"application": {"bin_file": "app.bin", "dat_file": "app.dat"}}}`))
	put("app.bin", []byte("application"))
	put("app.dat", nordicPacket(signed, []byte("application")))
	w.Close()
	return b.Bytes()
}

func TestNordic(t *testing.T) {
	t.Parallel()
	all := NordicPackages(open(t, nordicZIP(true)))
	if len(all) != 1 || all[0].Packet == nil {
		t.Fatalf("%+v", all)
	}
	h := sha256.Sum256([]byte("application"))
	want := &NordicInit{Signature: "ECDSA P-256", FWVersion: 4, HWVersion: 52, Kind: "application", SoftDevices: []uint64{0xAF}, Sizes: [3]uint64{0, 0, 11}, HashType: "SHA-256", Hash: reversed(h[:])}
	if !reflect.DeepEqual(all[0].Packet, want) {
		t.Errorf("%+v, want %+v", all[0].Packet, want)
	}
	if fits, ok := all[0].Fits(); !fits || !ok {
		t.Error("the image does not fit its hash")
	}
	if got := info[*NordicInit](t, nordicZIP(false)); got.Signature != "" {
		t.Errorf("not signed: %+v", got)
	}
}
