package disk

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestFAT12(t *testing.T) {
	got := listed(t, open(t, sample(t, "fat12")))
	want := `it [fat] FAT12, clusters of 512 bytes, "LABEL"
  -rwxr-xr-x a  3000 898e6b29 1500000000
  -rwxr-xr-x A long näme with 日本.text  4 3b97a968 1500000000
  -rwxr-xr-x SHORT.TXT  5 3610a686 1500000000
  drwxr-xr-x dir  0 00000000 1500000000
  -r-xr-xr-x lower.txt  5 0e9a7b23 1500000000
  drwxr-xr-x dir/sub  0 00000000 1500000000
  -rwxr-xr-x dir/big  3000 898e6b29 1500000000
  -rwxr-xr-x dir/sub/empty  0 00000000 1500000000
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// sampleFAT32 has a root folder in cluster 2 and 5, a folder in 3, and a file in 4 and 6.
func sampleFAT32() []byte {
	b := make([]byte, 512*(2+1+8))
	copy(b, "\xeb\x58\x90MSDOS5.0")
	half := func(at, v int) { binary.LittleEndian.PutUint16(b[at:], uint16(v)) }
	half(11, 512)
	half(14, 2)
	half(19, len(b)/512)
	b[13], b[16], b[21], b[36], b[44], b[66] = 1, 1, 0xf8, 1, 2, 0x29
	copy(b[71:], "SMALL      ")
	half(510, 0xaa55)
	for cluster, next := range []uint32{0x0ffffff8, 0x0fffffff, 5, 0x0fffffff, 6, 0x0fffffff, 0x0ffffff8} {
		binary.LittleEndian.PutUint32(b[1024+4*cluster:], next)
	}
	at := func(cluster int) []byte { return b[1536+512*(cluster-2):][:512] }
	entry := func(b []byte, name string, attributes byte, cluster, size int) {
		copy(b, name)
		b[11] = attributes
		binary.LittleEndian.PutUint16(b[26:], uint16(cluster))
		binary.LittleEndian.PutUint32(b[28:], uint32(size))
		binary.LittleEndian.PutUint16(b[24:], 37<<9|7<<5|14)
	}
	for i := range 15 {
		entry(at(2)[32*i:], "\xe5removed   ", 0, 4, 9)
	}
	entry(at(2)[480:], "DIR        ", fatIsFolder, 3, 0)
	entry(at(5), "\x05LAT    TXT", 1, 0, 0)
	entry(at(3), ".          ", fatIsFolder, 3, 0)
	entry(at(3)[32:], "..         ", fatIsFolder, 0, 0)
	entry(at(3)[64:], "FILE    BIN", 0, 4, 700)
	at(3)[64+12] = 24
	copy(at(4), bytes.Repeat([]byte("4"), 512))
	copy(at(6), bytes.Repeat([]byte("6"), 512))
	return b
}

func TestFAT32(t *testing.T) {
	got := listed(t, open(t, sampleFAT32()))
	want := `it [fat] FAT32, clusters of 512 bytes, "SMALL"
  drwxr-xr-x DIR  0 00000000 1499990400
  -r-xr-xr-x σLAT.TXT  0 00000000 1499990400
  -rwxr-xr-x DIR/file.bin  700 cecef6e3 1499990400
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	midst := listed(t, open(t, append(append(bytes.Repeat([]byte("before"), 100), sampleFAT32()...), "after"...)))
	if !strings.Contains(midst, "it: fat at 0x258 [fat] FAT32") {
		t.Error(midst)
	}
}

func TestFATHostile(t *testing.T) {
	next := func(b []byte, cluster, to uint32) { binary.LittleEndian.PutUint32(b[1024+4*cluster:], to) }
	file := 1536 + 512 + 64
	for name, c := range map[string]struct {
		harm func(b []byte)
		want string
	}{
		"a folder without end": {func(b []byte) {
			next(b, 5, 2)
			b[1536+512*3+32] = 0xe5
			copy(b[1536+512*3:], bytes.Repeat([]byte{0xe5}, 512))
		}, "the folder goes on in a cluster of a folder"},
		"a folder in itself":     {func(b []byte) { b[file+11], b[file+26] = fatIsFolder, 3 }, "the folder goes on in a cluster of a folder"},
		"a file without end":     {func(b []byte) { next(b, 6, 4); binary.LittleEndian.PutUint32(b[file+28:], 1<<31) }, "its chain of clusters has no end"},
		"a chain that leads out": {func(b []byte) { next(b, 4, 400) }, "cluster 4 is said to be followed by 400"},
		"a chain into the free":  {func(b []byte) { next(b, 4, 0) }, "cluster 4 is said to be followed by 0"},
		"a chain that is short":  {func(b []byte) { binary.LittleEndian.PutUint32(b[file+28:], 1<<20) }, "its clusters end 1047552 bytes before it does"},
		"no such cluster":        {func(b []byte) { b[file+26] = 99 }, "there is no cluster 99"},
		"cut short":              {func(b []byte) { binary.LittleEndian.PutUint16(b[19:], 14) }, "it is said to be 7168 bytes long"},
		"no table":               {func(b []byte) { b[1024] = 1 }, "it [] \n"},
		"a name that leads out":  {func(b []byte) { copy(b[file:], "../..   X  "); b[file+12] = 0 }, "DIR/..?...X"},
	} {
		t.Run(name, func(t *testing.T) {
			b := sampleFAT32()
			c.harm(b)
			if got := listed(t, open(t, b)); !strings.Contains(got, c.want) {
				t.Errorf("%q is not in\n%s", c.want, got)
			}
		})
	}
}
