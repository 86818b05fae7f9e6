package mcu

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var put16, put32 = binary.LittleEndian.PutUint16, binary.LittleEndian.PutUint32

func word(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// fixed is text in a field of n bytes.
func fixed(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

// espSample is an application for an ESP32-C3 in two segments, with a hash.
func espSample() []byte {
	descriptor := slices.Concat(word(espDescriptor), word(3), make([]byte, 8), fixed("1.4.2", 32), fixed("room-sensor", 32), fixed("10:11:12", 16), fixed("Sep  1 2026", 16),
		fixed("v5.3.1", 32), make([]byte, 112))
	return espBuilt(5, descriptor, []byte("code.code.code.."))
}

func espBuilt(chip byte, parts ...[]byte) []byte {
	b := make([]byte, espHead)
	b[0], b[1], b[12], b[23] = 0xE9, byte(len(parts)), chip, 1
	put32(b[4:], 0x40380000)
	sum := byte(0xEF)
	for i, p := range parts {
		b = slices.Concat(b, word(0x3C000020+uint32(i)*0x4000000), word(uint32(len(p))), p)
		for _, c := range p {
			sum ^= c
		}
	}
	for len(b)%16 != 15 {
		b = append(b, 0)
	}
	b = append(b, sum)
	h := sha256.Sum256(b)
	return append(b, h[:]...)
}

// espBlockV1 is what secure boot v1 appends.
func espBlockV1(t testing.TB) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, s, err := ecdsa.Sign(rand.Reader, key, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 68)
	r.FillBytes(b[4:36])
	s.FillBytes(b[36:])
	return b
}

// padded is the image as it is signed by secure boot v2: up to the end of a sector.
func padded(b []byte) []byte {
	return append(b, bytes.Repeat([]byte{0xFF}, -len(b)&(espSector-1))...)
}

func espSigned(t testing.TB) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return espSignedBy(t, key)
}

func espSignedBy(t testing.TB, key *ecdsa.PrivateKey) []byte {
	b := padded(espSample())
	h := sha256.Sum256(b)
	r, s, err := ecdsa.Sign(rand.Reader, key, h[:])
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, espBlock)
	block[0], block[1], block[36] = 0xE7, 3, 2
	copy(block[4:], h[:])
	copy(block[37:], reversed(point[1:33]))
	copy(block[69:], reversed(point[33:65]))
	copy(block[101:], reversed(r.FillBytes(make([]byte, 32))))
	copy(block[133:], reversed(s.FillBytes(make([]byte, 32))))
	put32(block[espBlockSum:], crc32.ChecksumIEEE(block[:espBlockSum]))
	return padded(append(b, block...))
}

func TestESPImage(t *testing.T) {
	t.Parallel()
	got := info[*ESPImage](t, espSample())
	want := &ESPImage{
		Chip: "ESP32-C3", Entry: 0x40380000, Segments: 2, Length: int64(len(espSample())), App: true, Project: "room-sensor", Version: "1.4.2", IDF: "v5.3.1",
		Built: "Sep  1 2026 10:11:12", SecureVersion: 3, ChecksumFits: true, Hashed: true, HashFits: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	damaged := espSample()
	damaged[300] ^= 1
	if got := info[*ESPImage](t, damaged); got.Intact() || got.HashFits || got.ChecksumFits {
		t.Errorf("damaged: %+v", got)
	}
	if got := open(t, espSample()); len(got.Children) != 2 || got.Children[0].Offset != 32 {
		t.Error(told(t, got))
	}
}

func TestESPSignatures(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	signed := espSignedBy(t, key)
	got := info[*ESPImage](t, signed).Signatures
	if len(got) != 1 || got[0].Scheme != "v2, ECDSA P-256" || !got[0].Fits || !bytes.Equal(got[0].SPKI, spki) || len(got[0].KeyDigest) != 64 {
		t.Errorf("v2 with ECDSA: %+v", got)
	}
	signed[270] ^= 1
	if got := info[*ESPImage](t, signed).Signatures; len(got) != 1 || got[0].Fits {
		t.Errorf("an image that was changed: %+v", got)
	}
	if got := info[*ESPImage](t, append(espSample(), espBlockV1(t)...)).Signatures; len(got) != 1 || got[0].Scheme != "v1, ECDSA P-256" {
		t.Errorf("v1: %+v", got)
	}
	if got := info[*ESPImage](t, append(espSample(), make([]byte, 68)...)).Signatures; len(got) != 0 {
		t.Errorf("zeros: %+v", got)
	}
}

func TestESPSignatureRSA(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	b := padded(espSample())
	h := sha256.Sum256(b)
	sig, err := rsa.SignPSS(rand.Reader, key, 5, h[:], &rsa.PSSOptions{SaltLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, espBlock)
	block[0], block[1] = 0xE7, 2
	copy(block[4:], h[:])
	copy(block[36:], reversed(key.N.FillBytes(make([]byte, 384))))
	put32(block[420:], uint32(key.E))
	copy(block[812:], reversed(sig))
	put32(block[espBlockSum:], crc32.ChecksumIEEE(block[:espBlockSum]))
	spki, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	twice := slices.Concat(b, block, block) // two signatures
	got := info[*ESPImage](t, padded(twice)).Signatures
	if len(got) != 2 || got[0].Scheme != "v2, RSA 3072" || !got[0].Fits || !bytes.Equal(got[0].SPKI, spki) {
		t.Errorf("%+v", got)
	}
}

// oldSample is an image for the ESP8266.
func oldSample(version int) []byte {
	data := []byte("data....")
	head := slices.Concat([]byte{0xE9, 1, 0, 0}, word(0x40100004), word(0x3FFE8000), word(uint32(len(data))), data)
	if version == 2 {
		head = slices.Concat([]byte{0xEA, 4, 0, 0}, word(0x40100004), word(0), word(16), []byte("code in flash..."), head)
	}
	sum := byte(0xEF)
	for _, c := range data {
		sum ^= c
	}
	for len(head)%16 != 15 {
		head = append(head, 0)
	}
	return append(head, sum)
}

func TestESP8266(t *testing.T) {
	t.Parallel()
	for version := 1; version <= 2; version++ {
		want := &ESP8266Image{Version: version, Entry: 0x40100004, Segments: 1, ChecksumFits: true}
		if got := info[*ESP8266Image](t, oldSample(version)); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func partition(kind, subtype byte, offset, size uint32, name string) []byte {
	return slices.Concat([]byte(tableMagic), []byte{kind, subtype}, word(offset), word(size), fixed(name, 16), word(0))
}

// tableSample is a table with two slots, cut down to a few sectors.
func tableSample() []byte {
	b := slices.Concat(
		partition(ESPData, ESPNVS, 0x9000, 0x1000, "nvs"), partition(ESPData, ESPOTAData, 0xA000, 0x2000, "otadata"),
		partition(ESPApp, ESPOTA0, 0x10000, 0x1000, "ota_0"), partition(ESPApp, ESPOTA0+1, 0x20000, 0x1000, "ota_1"),
	)
	sum := md5.Sum(b)
	b = slices.Concat(b, []byte(tableSum), bytes.Repeat([]byte{0xFF}, 14), sum[:])
	return append(b, bytes.Repeat([]byte{0xFF}, tableSize-len(b))...)
}

// flashSample is a dump that ends behind the first slot.
func flashSample() []byte {
	b := bytes.Repeat([]byte{0xFF}, 0x11000)
	copy(b, espBuilt(5, []byte("boot loader.....")))
	copy(b[0x8000:], tableSample())
	copy(b[0x9000:], nvsSample(false))
	copy(b[0xA000:], otaSample(2))
	copy(b[0x10000:], espSample())
	return b
}

// The sums are those that gen_esp32part.py of ESP-IDF writes behind these entries.
func TestTablesAsGenerated(t *testing.T) {
	t.Parallel()
	for sum, entries := range map[string][]byte{
		"f9bd061b45686f86571a2cd52a1da65b": slices.Concat(
			partition(ESPApp, ESPFactory, 0x10000, 0x100000, "factory"), partition(ESPData, 0x20, 0x110000, 0x200, "data"), partition(0x10, 0, 0x150000, 0x1000, "second"),
		),
		"43033f334087575169839b4061b12726": partition(0x30, 0xEE, 0x100400, 0x300000, "first"),
	} {
		b, err := hex.DecodeString(sum)
		if err != nil {
			t.Fatal(err)
		}
		table := slices.Concat(entries, []byte(tableSum), bytes.Repeat([]byte{0xFF}, 14), b, bytes.Repeat([]byte{0xFF}, 32))
		if got := info[*ESPTable](t, table); !got.Summed || len(got.Partitions) != len(entries)/tableEntry {
			t.Errorf("%s: %+v", sum, got)
		}
	}
}

// A table may tell of the boot loader, which on most chips lies at 0.
func TestTableWithLoader(t *testing.T) {
	t.Parallel()
	b := slices.Concat(
		partition(ESPLoader, 0, 0, 0x8000, "bootloader"), partition(3, 0, 0x8000, 0x1000, "table"),
		partition(ESPData, ESPNVS, 0x9000, 0x1000, "nvs"), partition(ESPApp, ESPFactory, 0x10000, 0x10000, "factory"),
	)
	if got := info[*ESPTable](t, append(b, bytes.Repeat([]byte{0xFF}, tableSize-len(b))...)); len(got.Partitions) != 4 {
		t.Errorf("%+v", got)
	}
}

func otaSample(state uint32) []byte {
	b := bytes.Repeat([]byte{0xFF}, 2*espSector)
	put32(b, 7)
	put32(b[24:], state)
	put32(b[28:], nvsSum(b[:4]))
	return b
}

func TestESPFlash(t *testing.T) {
	t.Parallel()
	root := open(t, flashSample())
	got := told(t, root)
	for _, want := range []string{
		"it [esp-flash] 69632 (4 partitions, 2 of them slots for updates)", "it: boot loader at 0x0 [esp-image]", "it: partition table at 0x8000 [esp-partitions]",
		"it: nvs at 0x9000 [esp-nvs]", "it: otadata at 0xa000 [esp-otadata] 8192 (sequences [7], states [0x2])", "it: ota_0 at 0x10000 [esp-image]",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "!") || strings.Contains(got, "ota_1") {
		t.Error(got)
	}
	damaged := flashSample()
	damaged[0x8005] ^= 0x10
	if got := told(t, open(t, damaged)); !strings.Contains(got, "do not fit their MD5") {
		t.Error(got)
	}
	if s := info[*ESPOTASelect](t, otaSample(Unkept)); !reflect.DeepEqual(s, &ESPOTASelect{[]uint32{7}, []uint32{Unkept}}) {
		t.Errorf("%+v", s)
	}
}

// nvsEntry is an entry with what follows it.
func nvsEntry(namespace, kind, span, chunk byte, key string, data, value []byte) []byte {
	e := slices.Concat([]byte{namespace, kind, span, chunk}, make([]byte, 4), fixed(key, 16), append(data, bytes.Repeat([]byte{0xFF}, 8-len(data))...))
	put32(e[4:], nvsSum(e[:4], e[8:24], e[24:]))
	value = append(value, bytes.Repeat([]byte{0xFF}, -len(value)&31)...)
	return append(e, value...)
}

func nvsLong(namespace, kind, chunk byte, key string, value []byte) []byte {
	data := make([]byte, 8)
	put16(data, uint16(len(value)))
	put16(data[2:], 0xFFFF)
	put32(data[4:], nvsSum(value))
	return nvsEntry(namespace, kind, byte(1+(len(value)+31)/32), chunk, key, data, value)
}

// nvsSample is a page with a few values, one of them deleted; or one whose entries are encrypted.
func nvsSample(encrypted bool) []byte {
	entries := [][]byte{
		nvsEntry(0, 0x01, 1, 0xFF, "wifi", []byte{1}, nil), nvsEntry(1, 0x02, 1, 0xFF, "channel", []byte{6, 0}, nil), nvsLong(1, 0x21, 0xFF, "psk", []byte("correct horse\x00")),
		nvsLong(1, 0x42, 0, "cert", bytes.Repeat([]byte("A"), 40)), nvsLong(1, 0x42, 1, "cert", []byte("BBBB")), nvsEntry(1, 0x48, 1, 0xFF, "cert", []byte{44, 0, 0, 0, 2, 0, 0xFF, 0xFF}, nil),
		nvsLong(1, 0x21, 0xFF, "old", []byte("forgotten\x00")),
	}
	return nvsPageOf(encrypted, 1, entries...)
}

// nvsPageOf is a page with entries, of which the last ones are deleted; or one whose entries are encrypted.
func nvsPageOf(encrypted bool, deleted int, entries ...[]byte) []byte {
	page := bytes.Repeat([]byte{0xFF}, 64)
	put32(page, 0xFFFFFFFE)
	put32(page[4:], 0)
	page[8] = nvsVersion2
	put32(page[28:], nvsSum(page[4:28]))
	at := 0
	for i, e := range entries {
		for range len(e) / 32 {
			state := byte(2)
			if i >= len(entries)-deleted {
				state = 0
			}
			page[32+at/4] &^= (3 &^ state) << (at % 4 * 2)
			at++
		}
		if encrypted {
			for j := range e {
				e[j] ^= byte(7*j + 13*i + 5)
			}
		}
		page = append(page, e...)
	}
	return append(page, bytes.Repeat([]byte{0xFF}, espSector-len(page))...)
}

// What these tests read is what Espressif's generator writes: nvs_partition_gen.py of ESP-IDF makes this page, to the byte, of a namespace
// M5NSconfig with the strings SSID0, TestNet, and PASS0, pass12345.
func TestNVSAsGenerated(t *testing.T) {
	t.Parallel()
	page := nvsPageOf(false, 0, nvsEntry(0, 0x01, 1, 0xFF, "M5NSconfig", []byte{1}, nil), nvsLong(1, 0x21, 0xFF, "SSID0", []byte("TestNet\x00")), nvsLong(1, 0x21, 0xFF, "PASS0", []byte("pass12345\x00")))
	if got := hexSum(page); got != "d39f1c85900cc94918804fc98ad8198ea11e02b8741c0085a4dcb627aa7a9468" {
		t.Errorf("its SHA-256 is %s", got)
	}
	if got := info[*NVS](t, page).Items; len(got) != 2 || got[1].Key != "PASS0" || string(got[1].Value) != "pass12345" {
		t.Errorf("%+v", got)
	}
}

func TestNVS(t *testing.T) {
	t.Parallel()
	got := info[*NVS](t, nvsSample(false))
	want := &NVS{Pages: 1, Items: []NVSItem{
		{"wifi", "channel", "u16", []byte{6, 0}, false, 96},
		{"wifi", "psk", "string", []byte("correct horse"), false, 128},
		{"wifi", "cert", "blob", bytes.Repeat([]byte("A"), 40), false, 192},
		{"wifi", "cert", "blob", []byte("BBBB"), false, 288},
		{"wifi", "old", "string", []byte("forgotten"), true, 384},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	names := map[string]string{}
	for _, n := range open(t, nvsSample(false)).Children {
		b, _ := n.Read(100)
		names[n.Name] = string(b)
	}
	if want := map[string]string{"wifi/psk": "correct horse", "wifi/cert": strings.Repeat("A", 40) + "BBBB", "wifi/old (deleted)": "forgotten"}; !reflect.DeepEqual(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if got := info[*NVS](t, nvsSample(true)); !got.Encrypted || len(got.Items) != 0 {
		t.Errorf("encrypted: %+v", got)
	}
	// The first page may be an empty one.
	if got := info[*NVS](t, append(bytes.Repeat([]byte{0xFF}, espSector), nvsSample(false)...)); got.Pages != 1 || len(got.Items) != 5 {
		t.Errorf("in the second page: %+v", got)
	}
}
