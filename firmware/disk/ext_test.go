package disk

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

const extFiles = `  drwx------ lost+found  0 00000000 1500000000
  -rw-r--r-- big  16000 b064448b 1500000000
  drwxr-xr-x d  0 00000000 1500000000
  drwxr-xr-x etc  0 00000000 1500000000
  -rw-r--r-- sparse  290816 395dd614 1500000000
  urwxr-xr-x text  10800 bd898d6f 1500000000
  drwxr-xr-x d/e  0 00000000 1500000000
  Lrwxrwxrwx d/link ../etc/passwd 0 00000000 1500000000
  Lrwxrwxrwx d/long yyyyyyyyyyyyyyyyyyyy 0 00000000 1500000000
  -rw-r--r-- d/e/hard  22 330dc12a 1500000000
  ?rw-r--r-- etc/passwd d/e/hard 0 00000000 1500000000
`

func TestExt(t *testing.T) {
	for name, head := range map[string]string{
		"ext2": "it [ext] ext2, blocks of 1024 bytes, \"\"\n",
		"ext4": "it [ext] ext4, blocks of 1024 bytes, \"\"\n",
	} {
		got, want := listed(t, open(t, sample(t, name))), head+extFiles
		if name == "ext2" { // mke2fs cuts the hole at the end of a file with inline data or extents
			want = strings.Replace(want, "290816 395dd614", "300000 65ec5782", 1)
		}
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
}

// A file system in the midst of other data is found, and copies of its superblock are none.
func TestExtInTheMidst(t *testing.T) {
	data := bytes.Repeat([]byte("before "), 999)
	data = append(append(data, sample(t, "ext4")...), "and after"...)
	data = append(data, sample(t, "ext4")[1024:]...)
	got := listed(t, open(t, data))
	if !strings.Contains(got, "it: ext at 0x1b51 [ext] ext4") || strings.Count(got, "[ext]") != 1 {
		t.Error(got)
	}
}

// What a hostile file system says is bounded and noted.
func TestExtHostile(t *testing.T) {
	base := sample(t, "ext2")
	little := binary.LittleEndian
	table := int(little.Uint32(base[2048+8:])) * 1024
	inode := func(b []byte, n int) []byte {
		size := int(little.Uint16(b[1024+88:]))
		return b[table+(n-1)*size:][:size]
	}
	root := int(little.Uint32(inode(base, 2)[40:])) * 1024
	numbers := map[string]int{} // of inodes, by the names in the root folder
	for at := root; at < root+1024; at += int(little.Uint16(base[at+4:])) {
		numbers[string(base[at+8:at+8+int(base[at+6])])] = int(little.Uint32(base[at:]))
	}
	for name, c := range map[string]struct {
		harm func(b []byte)
		want string
	}{
		"a huge hole": {func(b []byte) { little.PutUint32(inode(b, numbers["text"])[108:], 1<<20) }, "a hole of "},
		"a folder in itself": {func(b []byte) {
			copy(inode(b, numbers["d"])[40:], inode(b, 2)[40:44])
		}, `is a second name of a folder`},
		"an entry without length":  {func(b []byte) { little.PutUint16(b[root+4:], 0) }, "an entry of a folder is said to be 0 bytes long"},
		"a name beyond its entry":  {func(b []byte) { b[root+6] = 200 }, "a name of 200 bytes in an entry of 12"},
		"no such inode":            {func(b []byte) { little.PutUint32(b[root+24:], 4000) }, "there is no inode 4000"},
		"a map outside":            {func(b []byte) { little.PutUint32(inode(b, numbers["big"])[40+48:], 1<<30) }, "the map of the file is said to go on in block 1073741824"},
		"a block outside":          {func(b []byte) { little.PutUint32(inode(b, numbers["big"])[44:], 1<<30) }, "block 1 of the file is said to be block 1073741824"},
		"a long link":              {func(b []byte) { n := inode(b, numbers["text"]); n[1], n[6] = 0xa1, 9 }, "where the link leads cannot be read"},
		"a tree that is none":      {func(b []byte) { inode(b, numbers["big"])[34] |= 8 }, "no node of an extent tree is here"},
		"inodes elsewhere":         {func(b []byte) { little.PutUint32(b[2048+8:], 1<<20) }, "it [] "},
		"a mode that is none":      {func(b []byte) { inode(b, numbers["big"])[1] = 0x91 }, "has mode 0110644"},
		"not unmounted":            {func(b []byte) { b[1024+96] |= extRecover }, "its journal needs recovery"},
		"more blocks than it has":  {func(b []byte) { little.PutUint32(b[1024+4:], 5000) }, "it is said to be 5120000 bytes long"},
		"a folder less than empty": {func(b []byte) { n := inode(b, numbers["d"]); n[35] |= 0x10; n[111] = 0x80 }, "a folder is said to be -9223372036854774784 bytes long"},
		"content in a small inode": {func(b []byte) { inode(b, numbers["big"])[35] |= 0x10 }, "16000 bytes are said to lie in an inode with room for 60"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(base)
			c.harm(b)
			if got := listed(t, open(t, b)); !strings.Contains(got, c.want) {
				t.Errorf("%q is not in\n%s", c.want, got)
			}
		})
	}
}
