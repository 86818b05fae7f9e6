package image

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"hash/crc32"
	"math/big"
	"slices"
)

// The flash of the room sensor, an ESP32-C6 with a radio processor beside it: what lies where.
const (
	sensorTable        = 0x8000
	sensorNVS          = 0x9000
	sensorKeys         = 0xA000
	sensorOTAData      = 0xB000
	sensorRadio        = 0xE000
	sensorRadioOptions = 0xF000
	sensorSlot0        = 0x10000
	sensorSlot1        = 0x20000
	sensorSize         = 0x30000
	sector             = 0x1000
)

// SensorFlash is the image of the flash of the room sensor, as it is written in the factory: boot loader, partition table, settings, two
// slots of which one holds the application, and the firmware of the radio processor. Has says which defects are planted in it.
func SensorFlash(has func(defect string) bool) []byte {
	flash := bytes.Repeat([]byte{0xFF}, sensorSize)
	signer := sensorSigner
	if has("sensor-unsigned") {
		signer = nil
	}
	put := func(at int, data []byte) { copy(flash[at:], data) }
	put(0, signed(espImage([]byte("second stage loader of the room sensor..")), signer))
	put(sensorTable, sensorPartitions(has))
	put(sensorNVS, sensorSettings(has))
	if has("sensor-nvs-keys-readable") {
		keys := pattern(64)
		put(sensorKeys, append(keys, word32(espSum(keys))...))
	}
	state := uint32(2) // the application was found to be good
	if has("sensor-no-rollback") {
		state = 0xFFFFFFFF
	}
	choice := slices.Concat(word32(1), bytes.Repeat([]byte{0xFF}, 20), word32(state), word32(espSum(word32(1))))
	put(sensorOTAData, choice)
	put(sensorRadio, radioImage(has))
	put(sensorRadioOptions, radioOptions(has))
	version := uint32(3)
	if has("sensor-no-downgrade-counter") {
		version = 0
	}
	app := signed(espImage(appDescriptor(version), []byte("measures temperature and humidity; tells them to the thermostat.")), signer)
	if has("sensor-signature-broken") {
		app[sector+4+32+100] ^= 1
		binary.LittleEndian.PutUint32(app[sector+1196:], crc32.ChecksumIEEE(app[sector:sector+1196]))
	}
	if has("sensor-app-damaged") {
		app[300] ^= 1
	}
	put(sensorSlot0, app)
	return flash
}

func word32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// espSum is the CRC-32 that ESP-IDF takes of small things: it starts from zero.
func espSum(parts ...[]byte) uint32 {
	sum := uint32(0xFFFFFFFF)
	for _, p := range parts {
		sum = crc32.Update(sum, crc32.IEEETable, p)
	}
	return sum
}

// pattern is bytes in no order.
func pattern(n int) []byte {
	var b []byte
	for h := sha256.Sum256([]byte("room sensor")); len(b) < n; h = sha256.Sum256(h[:]) {
		b = append(b, h[:]...)
	}
	return b[:n]
}

// field32 is text in a field of n bytes.
func field32(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

// appDescriptor is what the application says of itself (esp_app_desc_t).
func appDescriptor(secureVersion uint32) []byte {
	return slices.Concat(word32(0xABCD5432), word32(secureVersion), make([]byte, 8), field32("1.4.0", 32), field32("room-sensor", 32), field32("00:00:00", 16), field32("Sep  1 2026", 16),
		field32("v5.5.2", 32), make([]byte, 112))
}

// espImage is an image for an ESP32-C6 with segments of 4 bytes each or multiples of that.
func espImage(segments ...[]byte) []byte {
	b := make([]byte, 24)
	b[0], b[1], b[12], b[23] = 0xE9, byte(len(segments)), 13, 1
	binary.LittleEndian.PutUint32(b[4:], 0x40800000)
	sum := byte(0xEF)
	for i, s := range segments {
		s = append(s, make([]byte, -len(s)&3)...)
		b = slices.Concat(b, word32(0x42000020+uint32(i)<<16), word32(uint32(len(s))), s)
		for _, c := range s {
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

// sensorSigner signs what the sensor starts. It is a key of the reference product only.
var sensorSigner = func() *ecdsa.PrivateKey {
	secret := sha256.Sum256([]byte("signer of the room sensor"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:])
	if err != nil {
		panic(err)
	}
	return key
}()

// signed appends a signature of secure boot v2 to an image.
func signed(image []byte, key *ecdsa.PrivateKey) []byte {
	if key == nil {
		return image
	}
	image = append(image, bytes.Repeat([]byte{0xFF}, -len(image)&(sector-1))...)
	h := sha256.Sum256(image)
	r, s := sign(key, h[:])
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	block := slices.Concat([]byte{0xE7, 3, 0, 0}, h[:], []byte{2}, turned(point[1:33]), turned(point[33:65]), turned(r), turned(s), make([]byte, 1031))
	block = slices.Concat(block, word32(crc32.ChecksumIEEE(block)), make([]byte, 16))
	return append(image, block...)
}

// sign gives the two numbers of a signature, the same each time (RFC 6979).
func sign(key *ecdsa.PrivateKey, digest []byte) (r, s []byte) {
	der, err := key.Sign(nil, digest, crypto.SHA256)
	if err != nil {
		panic(err)
	}
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &numbers); err != nil {
		panic(err)
	}
	return numbers.R.FillBytes(make([]byte, 32)), numbers.S.FillBytes(make([]byte, 32))
}

func turned(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

func sensorPartitions(has func(string) bool) []byte {
	entry := func(kind, subtype byte, at, size uint32, name string) []byte {
		return slices.Concat([]byte{0xAA, 0x50, kind, subtype}, word32(at), word32(size), field32(name, 16), word32(0))
	}
	const app, data = 0, 1
	b := slices.Concat(
		entry(data, 0x02, sensorNVS, sector, "nvs"), entry(data, 0x04, sensorKeys, sector, "nvs_keys"), entry(data, 0x00, sensorOTAData, 2*sector, "otadata"),
		entry(data, 0x40, sensorRadio, sector, "radio"), entry(data, 0x41, sensorRadioOptions, sector, "radio_options"),
		entry(app, 0x10, sensorSlot0, sensorSlot1-sensorSlot0, "ota_0"),
	)
	if !has("sensor-one-slot") {
		b = append(b, entry(app, 0x11, sensorSlot1, sensorSize-sensorSlot1, "ota_1")...)
	}
	sum := md5.Sum(b)
	return slices.Concat(b, []byte{0xEB, 0xEB}, bytes.Repeat([]byte{0xFF}, 14), sum[:])
}
