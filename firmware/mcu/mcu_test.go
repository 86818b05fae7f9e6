package mcu

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/archive"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

const mostMade = 8 << 20

func open(t testing.TB, data []byte) *tree.Node {
	t.Helper()
	formats := slices.Concat(Formats, archive.Formats)
	o, err := tree.Open(context.Background(), "it", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), formats, tree.Limits{Bytes: mostMade, Nodes: 1000, Unguarded: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}

// told is every node with what is said of it, and its first bytes when it is a leaf.
func told(t testing.TB, root *tree.Node) string {
	t.Helper()
	var b strings.Builder
	for n := range root.All() {
		fmt.Fprintf(&b, "%s [%s] %d", n.Path(), n.Format, n.Size())
		if n.About != "" {
			fmt.Fprintf(&b, " (%s)", n.About)
		}
		if data, _ := n.Read(24); n.Leaf() && n.Format == "" {
			fmt.Fprintf(&b, " %q", data)
		}
		b.WriteByte('\n')
		for _, note := range n.Notes {
			fmt.Fprintf(&b, "! %s\n", note)
		}
	}
	return b.String()
}

// info gives what a reader made of the data, which is one T.
func info[T any](t testing.TB, data []byte) T {
	t.Helper()
	root := open(t, data)
	_, all := tree.InfoOf[T](root)
	if len(all) != 1 {
		t.Fatalf("%d of %T in\n%s", len(all), *new(T), told(t, root))
	}
	return all[0]
}

// samples are small ones of every format.
func samples(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"esp": espSample(), "esp-v1": append(espSample(), espBlockV1(t)...), "esp-ec": espSigned(t), "esp8266": oldSample(1), "esp8266-2": oldSample(2),
		"table": tableSample(), "flash": flashSample(), "nvs": nvsSample(false), "nvs-secret": nvsSample(true), "otadata": otaSample(0),
		"ihex": []byte(hexSample), "srec": []byte(srecSample), "uf2": uf2Sample(), "mcuboot": mcubootSample(true), "gbl": gblSample(true), "telink": telinkSample(),
		"dfu": dfuSample([]byte("firmware")), "dfuse": dfuseSample(), "nordic": nordicZIP(true), "nordic-init": nordicPacket(true, []byte("x")),
	}
}

// However a file is cut short, what is left is told without harm.
func TestCutShort(t *testing.T) {
	t.Parallel()
	for name, data := range samples(t) {
		step := 1 + len(data)/400
		for n := 0; n < len(data); n += step {
			for node := range open(t, data[:n]).All() {
				if node.Offset >= 0 && node.Size() > int64(len(data)) {
					t.Fatalf("%s of %d bytes: %s has %d", name, n, node.Path(), node.Size())
				}
			}
		}
	}
}

// Each sample is found in the midst of other data when its format says that it can be.
func TestSearched(t *testing.T) {
	t.Parallel()
	for name, format := range map[string]string{
		"esp": "esp-image", "esp8266": "esp8266-image", "table": "esp-partitions", "nvs": "esp-nvs", "uf2": "uf2", "mcuboot": "mcuboot", "gbl": "gbl", "telink": "telink",
	} {
		data := slices.Concat(bytes.Repeat([]byte("before.."), 100), samples(t)[name], bytes.Repeat([]byte("after..."), 100))
		root := open(t, data)
		if n := slices.IndexFunc(root.Children, func(n *tree.Node) bool { return n.Format == format && n.Offset == 800 }); n < 0 {
			t.Errorf("%s is not found:\n%s", name, told(t, root))
		}
	}
}

// Bytes without meaning are of no format.
func TestNothing(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{bytes.Repeat([]byte{0xFF}, 3*espSector), make([]byte, 8192), []byte(":10 is the hour"), []byte("S1 and S2"), bytes.Repeat([]byte{0xE9}, 100)} {
		if got := open(t, data); got.Format != "" || !got.Leaf() {
			t.Errorf("%q…: %s", data[:8], told(t, got))
		}
	}
}

func fuzz(f *testing.F, names ...string) {
	all := samples(f)
	for _, n := range names {
		f.Add(all[n])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		total := int64(0)
		for n := range open(t, data).All() {
			if n.Offset < 0 && n.Parent != nil {
				total += n.Size()
			}
			if n.Offset >= 0 && n.Parent != nil && n.Parent.Data != nil && n.Offset+n.Size() > n.Parent.Size() {
				t.Fatalf("%s lies outside", n.Path())
			}
		}
		NordicPackages(open(t, data))
		if total > mostMade {
			t.Fatalf("%d bytes were made", total)
		}
	})
}

func FuzzESP(f *testing.F)     { fuzz(f, "esp", "esp-v1", "esp-ec", "esp8266", "esp8266-2") }
func FuzzFlash(f *testing.F)   { fuzz(f, "table", "flash", "otadata") }
func FuzzNVS(f *testing.F)     { fuzz(f, "nvs", "nvs-secret") }
func FuzzRecords(f *testing.F) { fuzz(f, "ihex", "srec", "uf2") }
func FuzzMCUboot(f *testing.F) { fuzz(f, "mcuboot") }
func FuzzGBL(f *testing.F)     { fuzz(f, "gbl", "telink") }
func FuzzDFU(f *testing.F)     { fuzz(f, "dfu", "dfuse") }
func FuzzNordic(f *testing.F)  { fuzz(f, "nordic", "nordic-init") }
