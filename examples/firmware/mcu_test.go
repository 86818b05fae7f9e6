//go:build peers

package firmware

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// shipped gives a file of a package of Debian.
func shipped(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\nhint: scripts/peers", err)
	}
	return b
}

// converted is what objcopy makes of a file; gaps are filled as erased flash is.
func converted(t testing.TB, data []byte, from, to string, args ...string) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "objcopy", append([]string{"-I", from, "-O", to}, append(args, in, out)...)...)
	return shipped(t, out)
}

// regions are the contents of a file of records.
func regions(t testing.TB, data []byte) []mcu.Region {
	t.Helper()
	root := opened(t, data)
	_, files := tree.InfoOf[*mcu.Memory](root)
	if len(files) != 1 || files[0].Faults != 0 {
		t.Fatalf("%s: %d files of records: %v", root.Format, len(files), root.Notes)
	}
	return files[0].Regions
}

// What objcopy writes as Intel HEX and S-records is put together to the same bytes.
func TestRecordsOfObjcopy(t *testing.T) {
	data := make([]byte, 200_001)
	rand.NewChaCha8([32]byte{7}).Read(data)
	for _, c := range []struct {
		to      string
		address uint32
		args    []string
	}{
		{"ihex", 0, nil},
		{"ihex", 0x08000000, nil},
		{"ihex", 0x7F000, nil},
		{"srec", 0, nil},
		{"srec", 0x08000000, nil},
		{"srec", 0x20000, []string{"--srec-len=60"}},
		{"srec", 0x1000, []string{"--srec-forceS3"}},
	} {
		file := converted(t, data, "binary", c.to, append(c.args, "--change-addresses", fmt.Sprint(c.address))...)
		got := regions(t, file)
		if len(got) != 1 || got[0].Address != c.address || !bytes.Equal(got[0].Data, data) || len(got[0].Gaps) != 0 {
			t.Errorf("%s at %#x %v: %d regions", c.to, c.address, c.args, len(got))
		}
	}
}

// The firmware of micro:bit is put together as objcopy does it.
func TestMicrobitHex(t *testing.T) {
	file := shipped(t, "/usr/share/firmware-microbit-micropython/firmware.hex")
	got := regions(t, file)
	for i, r := range regions(t, converted(t, file, "ihex", "srec")) {
		if i >= len(got) || got[i].Address != r.Address || !bytes.Equal(got[i].Data, r.Data) || !slices.Equal(got[i].Gaps, r.Gaps) {
			t.Errorf("the region from %#x is not what objcopy makes", r.Address)
		}
	}
	first := converted(t, file, "ihex", "binary", "--only-section=.sec1")
	if len(got) == 0 || len(first) < 1000 || !bytes.HasPrefix(got[0].Data, first) {
		t.Errorf("the first %d bytes of %d regions are not what objcopy makes", len(first), len(got))
	}
}

// The DFU files of HackRF are what their suffix says.
func TestHackRFDFU(t *testing.T) {
	for _, name := range []string{"hackrf_one", "hackrf_jawbreaker", "hackrf_rad1o"} {
		data := shipped(t, "/usr/share/hackrf/"+name+"_usb.dfu")
		root := opened(t, data)
		d, ok := root.Info.(*mcu.DFU)
		if !ok || !d.Intact || d.Vendor != 0x1FC9 || d.Product != 0x000C {
			t.Errorf("%s: %s, %+v, %v", name, root.Format, root.Info, root.Notes)
			continue
		}
		if got, err := root.Children[0].Read(1 << 20); err != nil || !bytes.Equal(got, data[:len(data)-16]) {
			t.Errorf("%s: the content is %d bytes of %d", name, len(got), len(data))
		}
	}
}

// Raw firmware is taken for nothing that it is not.
func TestRawFirmware(t *testing.T) {
	for _, file := range []string{"/usr/share/hackrf/hackrf_one_usb.bin", "/usr/share/hackrf/hackrf_rad1o_usb.bin", "/usr/share/sigrok-firmware/fx2lafw-cypress-fx2.fw"} {
		for n := range opened(t, shipped(t, file)).All() {
			if n.Format != "" {
				t.Errorf("%s: %s is taken for %s", file, n.Path(), n.Format)
			}
		}
	}
}
