package flash

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"
)

// sample is a small image of testdata, unpacked.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".img.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const cramfsFiles = `  drwxr-xr-x 0:0 d 
  drwxr-xr-x 0:0 etc 
  -rw-r----- 0:0 holes  14100 49aff699 "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
  urwxr-xr-x 0:0 text  10800 bd898d6f "hello world hello wo"
  drwxr-xr-x 0:0 d/e 
  Lrwxrwxrwx 0:0 d/link ../etc/passwd
  -rw-r--r-- 0:0 d/e/hard  22 330dc12a "root:x:0:0::/:/bin/s"
  -rw-r--r-- 0:0 etc/passwd  22 330dc12a "root:x:0:0::/:/bin/s"
`

const romfsFiles = `  drwxr-xr-x 0:0 etc 
  -rwxr-xr-x 0:0 text  10800 bd898d6f "hello world hello wo"
  -rw-r--r-- 0:0 holes  14100 49aff699 "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
  drwxr-xr-x 0:0 d 
  -rw-r--r-- 0:0 etc/passwd  22 330dc12a "root:x:0:0::/:/bin/s"
  Lrwxrwxrwx 0:0 d/link ../etc/passwd
  drwxr-xr-x 0:0 d/e 
  ?rw-r--r-- 0:0 d/e/hard etc/passwd
`

func TestROM(t *testing.T) {
	for name, want := range map[string]string{
		"cramfs-little": "it [cramfs] little-endian, \"Compressed\"\n" + cramfsFiles,
		"cramfs-big":    "it [cramfs] big-endian, \"name\"\n" + cramfsFiles,
		"romfs":         "it [romfs] \"name\"\n" + romfsFiles,
	} {
		data := sample(t, name)
		if got := listed(t, open(t, data)); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		midst := listed(t, open(t, append(append([]byte("before "), data...), "after"...)))
		if format, _, _ := strings.Cut(name, "-"); !strings.Contains(midst, "it: "+format+" at 0x7 ["+format+"]") {
			t.Error(midst)
		}
		cutShort(t, data)
	}
}

// harmed changes a sample, and says what is found in it.
func harmed(t *testing.T, name string, harm func(b []byte)) string {
	t.Helper()
	b := sample(t, name)
	harm(b)
	if name == "romfs" {
		sealROMFS(b)
	}
	root := open(t, b)
	bounded(t, root)
	return listed(t, root)
}

func TestCramfsHostile(t *testing.T) {
	root := func(b []byte) []byte { return b[cramfsSuper:] }
	first := func(b []byte) []byte { return b[int(binary.LittleEndian.Uint32(root(b)[8:])>>6)*4:] }
	for want, harm := range map[string]func(b []byte){
		"it does not fit its checksum": func(b []byte) { b[len(b)-1] ^= 1 },
		"the folders have more entries than there can be": func(b []byte) {
			root(b)[4], root(b)[5], root(b)[6] = 0xfc, 0xff, 0xff
			copy(b[76:], bytes.Repeat(b[76:92], (len(b)-76)/16))
		},
		"a file has no name":                     func(b []byte) { first(b)[8] &^= 63 },
		"it [] ":                                 func(b []byte) { b[9] = 0xff },
		"it is said to be 2147483648 bytes long": func(b []byte) { binary.LittleEndian.PutUint32(b[4:], 1<<31) },
		"bytes are wanted, and":                  func(b []byte) { binary.LittleEndian.PutUint32(root(b)[8:], 1<<31) },
	} {
		if got := harmed(t, "cramfs-little", harm); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// sealROMFS makes the checksum of one fit.
func sealROMFS(b []byte) {
	binary.BigEndian.PutUint32(b[12:], 0)
	binary.BigEndian.PutUint32(b[12:], -romfsSum(b[:min(512, max(16, int64(binary.BigEndian.Uint32(b[8:]))))]))
}

func TestROMFSHostile(t *testing.T) {
	at := func(b []byte, name string) []byte { return b[bytes.Index(b, []byte(name+"\x00"))-16:] }
	for want, harm := range map[string]func(b []byte){
		"the folders have more files than there can be": func(b []byte) {
			f := at(b, "text")
			binary.BigEndian.PutUint32(f, binary.BigEndian.Uint32(f)&15|uint32(bytes.Index(b, []byte("etc\x00"))-16))
		},
		"the files are said to be larger than all": func(b []byte) { binary.BigEndian.PutUint32(at(b, "text")[8:], 1<<31) },
		"is a second name of a folder": func(b []byte) {
			binary.BigEndian.PutUint32(at(b, "hard")[4:], uint32(bytes.Index(b, []byte("etc\x00"))-16))
		},
		"bytes are wanted, and": func(b []byte) { binary.BigEndian.PutUint32(at(b, "hard")[4:], 1<<31) },
		"it [] ":                func(b []byte) { b[3] = 0 },
	} {
		if got := harmed(t, "romfs", harm); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func FuzzROM(f *testing.F) {
	for _, name := range []string{"cramfs-little", "cramfs-big", "romfs"} {
		f.Add(sample(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.Clone(data)
		if len(data) >= 512 && string(data[:4]) == "-rom" {
			sealROMFS(data)
		}
		bounded(t, open(t, data))
	})
}
