// Package cipher finds the tables that implementations of old ciphers and digests carry with them.
package cipher

import (
	"bytes"
	"encoding/binary"
)

// Table is one that was found.
type Table struct {
	Algorithm string // "DES"
	At        int64  // in the data
}

// table is how one begins.
type table struct {
	algorithm string
	bytes     []byte
}

// tables are beginnings of constants: of DES the S-box S1 of FIPS 46-3, as it stands there and as the forms in which it is joined with
// the permutation P, whose first words OpenSSL and mbed TLS have;
// of MD5 the first sines of RFC 1321; of
// Blowfish the first digits of pi; of RC2 its permutation (RFC 2268).
var tables = join(
	raw("DES", 14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7),
	words("DES", 0x02080800, 0x00080000, 0x02000002, 0x02080802),
	words("DES", 0x01010400, 0x00000000, 0x00010000, 0x01010404),
	words("MD5", 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee),
	words("Blowfish", 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344),
	raw("RC2", 0xd9, 0x78, 0xf9, 0xc4, 0x19, 0xdd, 0xb5, 0xed, 0x28, 0xe9, 0xfd, 0x79, 0x4a, 0xa0, 0xd8, 0x9d),
)

func join(lists ...[]table) (all []table) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func raw(algorithm string, b ...byte) []table { return []table{{algorithm, b}} }

// words are in both byte orders.
func words(algorithm string, list ...uint32) []table {
	var little, big []byte
	for _, w := range list {
		little = binary.LittleEndian.AppendUint32(little, w)
		big = binary.BigEndian.AppendUint32(big, w)
	}
	return []table{{algorithm, little}, {algorithm, big}}
}

// Tables lists the first place of each algorithm.
func Tables(data []byte) (list []Table) {
	for _, t := range tables {
		if i := bytes.Index(data, t.bytes); i >= 0 && !has(list, t.algorithm) {
			list = append(list, Table{t.algorithm, int64(i)})
		}
	}
	return list
}

func has(list []Table, algorithm string) bool {
	for _, t := range list {
		if t.Algorithm == algorithm {
			return true
		}
	}
	return false
}
