//go:build peers

package firmware

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/mcu"
)

// What dfu-suffix and dfu-prefix put around a file is told from it, and what they call damaged is.
func TestDFUOfDfuUtil(t *testing.T) {
	data := noise(4, 3001)
	for name, prefix := range map[string][]string{
		"a suffix": nil, "Stellaris": {"-s", "0x08000000", "-a"}, "LPC": {"-L", "-a"},
	} {
		t.Run(name, func(t *testing.T) {
			file := stored(t, "firmware.dfu", data)
			if prefix != nil {
				tool(t, "dfu-prefix", append(prefix, file)...)
			}
			content := shipped(t, file)
			tool(t, "dfu-suffix", "-v", "1209", "-p", "db42", "-d", "0102", "-a", file)
			tool(t, "dfu-suffix", "-c", file)
			whole := shipped(t, file)
			root := opened(t, whole)
			d, ok := root.Info.(*mcu.DFU)
			if !ok || *d != (mcu.DFU{Vendor: 0x1209, Product: 0xDB42, Device: 0x0102, Intact: true}) || len(root.Notes) > 0 {
				t.Fatalf("%s %+v %v", root.Format, root.Info, root.Notes)
			}
			if got, err := root.Children[0].Read(1 << 20); err != nil || !bytes.Equal(got, content) {
				t.Errorf("the content is %d bytes of %d, %v", len(got), len(content), err)
			}
			whole[100] ^= 1
			if err := os.WriteFile(file, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, "dfu-suffix", "-c", file)
			if d, ok := opened(t, whole).Info.(*mcu.DFU); !ok || d.Intact {
				t.Errorf("what was damaged is fine: %+v", d)
			}
		})
	}
}

// The stretches of memory that dfuse-pack puts together are found at their addresses.
func TestDfuSePack(t *testing.T) {
	loader, app, options := noise(1, 20_000), noise(2, 70_001), noise(3, 16)
	files := written(t, map[string][]byte{"loader": loader, "app": app, "options": options})
	out := files + "/all.dfu"
	tool(t, "dfuse-pack", "-b", "0x08000000:"+files+"/loader", "-b", "0x08010000:"+files+"/app", "-b", "0x1FFFC000@1:"+files+"/options", "-D", "0x0483:0xdf11", out)
	root := opened(t, shipped(t, out))
	if d, ok := root.Info.(*mcu.DFU); root.Format != "dfuse" || !ok || d.Vendor != 0x0483 || d.Product != 0xDF11 || !d.Intact || len(root.Notes) > 0 {
		t.Fatalf("%s %+v %v", root.Format, root.Info, root.Notes)
	}
	for i, want := range []struct {
		name string
		data []byte
	}{{"setting 0, memory from 0x8000000", loader}, {"setting 0, memory from 0x8010000", app}, {"setting 1, memory from 0x1fffc000", options}} {
		got, err := root.Children[i].Read(1 << 20)
		if err != nil || root.Children[i].Name != want.name || !bytes.Equal(got, want.data) {
			t.Errorf("%s is %d bytes, want %s with %d, %v", root.Children[i].Name, len(got), want.name, len(want.data), err)
		}
	}
}

// The packages that nrfutil made for Nordic's SDK, which Nordic's own updater for Node.js is tested with, hold what they say, and fit.
func TestNordicPackages(t *testing.T) {
	for name, want := range map[string]mcu.NordicInit{
		"ble_app_buttonless_dfu_with_bonds_s132": {
			Signature: "ECDSA P-256", FWVersion: 1, HWVersion: 52, Kind: "application", SoftDevices: []uint64{0x98, 0xCAFE}, Sizes: [3]uint64{0, 0, 40604}, HashType: "SHA-256", Debug: true,
		},
		"blinky_s140": {FWVersion: 1, HWVersion: 52, Kind: "application", SoftDevices: []uint64{0}, Sizes: [3]uint64{0, 0, 3084}, HashType: "SHA-256"},
		"softdevice_bootloader_secure_ble_debug_with_bonds_s132": {
			Signature: "ECDSA P-256", FWVersion: 1, HWVersion: 52, Kind: "SoftDevice and boot loader", SoftDevices: []uint64{0x98, 0xCAFE}, Sizes: [3]uint64{136360, 41056, 0}, HashType: "SHA-256", Debug: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := shipped(t, ofNPM("pc-nrf-dfu-js/spec/test-data/"+name+".zip"))
			images := mcu.NordicPackages(opened(t, data))
			if len(images) != 1 || images[0].Packet == nil || images[0].Image == nil {
				t.Fatalf("%d images: %+v", len(images), images)
			}
			got := *images[0].Packet
			if fits, ok := images[0].Fits(); !fits || !ok {
				t.Errorf("the image does not fit its hash %x", got.Hash)
			}
			got.Hash = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if sum := fmt.Sprint(want.Sizes[0] + want.Sizes[1] + want.Sizes[2]); sum != fmt.Sprint(images[0].Image.Size()) {
				t.Errorf("the image is %d bytes long, and %s are told", images[0].Image.Size(), sum)
			}
		})
	}
}
