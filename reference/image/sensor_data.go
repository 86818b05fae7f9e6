package image

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

// nvsValue is an entry of the settings of the room sensor, with what follows it.
func nvsValue(namespace, kind byte, key string, data, value []byte) []byte {
	head := []byte{namespace, kind, byte(1 + (len(value)+31)/32), 0xFF}
	name := field32(key, 16)
	data = append(data, bytes.Repeat([]byte{0xFF}, 8-len(data))...)
	return slices.Concat(head, word32(espSum(head, name, data)), name, data, value, bytes.Repeat([]byte{0xFF}, -len(value)&31))
}

func nvsText(namespace byte, key, text string) []byte {
	value := append([]byte(text), 0)
	size := binary.LittleEndian.AppendUint16(nil, uint16(len(value)))
	return nvsValue(namespace, 0x21, key, slices.Concat(size, []byte{0xFF, 0xFF}, word32(espSum(value))), value)
}

// sensorSettings is the page of the key-value store that the factory writes.
func sensorSettings(has func(string) bool) []byte {
	entries := [][]byte{
		nvsValue(0, 0x01, "calibration", []byte{1}, nil), nvsValue(1, 0x12, "offset_centi", []byte{0xE7, 0xFF}, nil), nvsValue(1, 0x01, "board", []byte{2}, nil),
		nvsText(1, "made_at", "line 3"),
	}
	deleted := -1
	if has("sensor-nvs-password") || has("sensor-nvs-deleted-password") {
		entries = append(entries, nvsValue(0, 0x01, "wifi", []byte{2}, nil), nvsText(2, "ssid", "factory-test"), nvsText(2, "password", "Sommer-Regen-41"))
		if has("sensor-nvs-deleted-password") {
			deleted = len(entries) - 1
		}
	}
	page := bytes.Repeat([]byte{0xFF}, 64)
	copy(page, word32(0xFFFFFFFE)) // it is in use
	copy(page[4:], word32(0))
	page[8] = 0xFE // version 2
	copy(page[28:], word32(espSum(page[4:28])))
	n := 0
	for i, e := range entries {
		for range len(e) / 32 {
			state := byte(2) // written
			if i == deleted {
				state = 0
			}
			page[32+n/4] &^= (3 &^ state) << (n % 4 * 2)
			n++
		}
		if has("sensor-nvs-keys-readable") { // it is encrypted, and the keys lie beside it
			for j, k := range pattern(len(e)) {
				e[j] ^= k
			}
		}
		page = append(page, e...)
	}
	return page
}

// radioImage is the firmware of the radio processor, which MCUboot starts.
func radioImage(has func(string) bool) []byte {
	list := func(magic uint16, entries ...[]byte) []byte {
		all := slices.Concat(entries...)
		b := binary.LittleEndian.AppendUint16(nil, magic)
		return append(binary.LittleEndian.AppendUint16(b, uint16(4+len(all))), all...)
	}
	entry := func(kind uint16, value []byte) []byte {
		b := binary.LittleEndian.AppendUint16(nil, kind)
		return append(binary.LittleEndian.AppendUint16(b, uint16(len(value))), value...)
	}
	var protected []byte
	if !has("sensor-radio-no-counter") {
		protected = list(0x6908, entry(0x50, word32(4)))
	}
	code := []byte("speaks IEEE 802.15.4 for the room sensor")
	head := slices.Concat(word32(0x96F3B83D), word32(0), []byte{32, 0}, binary.LittleEndian.AppendUint16(nil, uint16(len(protected))), word32(uint32(len(code))), word32(0),
		[]byte{2, 1, 0, 0}, word32(0), word32(0))
	b := slices.Concat(head, code, protected)
	h := sha256.Sum256(b)
	entries := [][]byte{entry(0x10, h[:])}
	if !has("sensor-radio-unsigned") {
		der, err := sensorSigner.Sign(nil, h[:], crypto.SHA256)
		if err != nil {
			panic(err)
		}
		key := sha256.Sum256([]byte("public key of the room sensor"))
		id := key[:]
		if has("sensor-radio-test-key") { // root-ec-p256.pem of MCUboot
			id, _ = hex.DecodeString("e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6")
		}
		entries = append(entries, entry(0x01, id), entry(0x22, der))
	}
	b = append(b, list(0x6907, entries...)...)
	if has("sensor-radio-damaged") {
		b[40] ^= 1
	}
	return b
}

// radioOptions is the file in Intel HEX from which the radio processor, an nRF52, gets its option words in the factory.
func radioOptions(has func(string) bool) []byte {
	protect := byte(0)
	if has("sensor-radio-debug-open") {
		protect = 0x5A
	}
	var b bytes.Buffer
	for _, record := range [][]byte{{2, 0, 0, 4, 0x10, 0}, {4, 0x12, 0x08, 0, protect, 0xFF, 0xFF, 0xFF}, {0, 0, 0, 1}} {
		sum := byte(0)
		for _, c := range record {
			sum -= c
		}
		fmt.Fprintf(&b, ":%X%02X\n", record, sum)
	}
	return b.Bytes()
}
