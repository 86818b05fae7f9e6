package firmware

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// devices is a table of devices for the tools that make images of flash, and deviceModes what comes of it.
const devices = "/dev d 755 0 0 - - - - -\n/dev/console c 600 3 5 5 1 - - -\n/dev/ttyS b 660 0 6 8 0 0 1 2\n/dev/pipe p 640 0 0 - - - - -\n"

var deviceModes = map[string]string{"dev": "drwxr-xr-x", "dev/console": "Dcrw-------", "dev/ttyS0": "Drw-rw----", "dev/ttyS1": "Drw-rw----", "dev/pipe": "prw-r-----"}

// deviceTable writes the table.
func deviceTable(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "devices")
	if err := os.WriteFile(name, []byte(devices), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// sameDevices takes the devices from what was found, after it has compared them.
func sameDevices(t *testing.T, got map[string]fact) {
	t.Helper()
	for name, want := range deviceModes {
		if mode := got[name].mode.String(); mode != want {
			t.Errorf("%s is %s, not %s", name, mode, want)
		}
		delete(got, name)
	}
	if len(got) == 0 {
		t.Error("nothing else was found")
	}
}

// cutLinks makes the targets of links as short as a tool makes them.
func cutLinks(files map[string]fact, most int) {
	for name, f := range files {
		f.target = f.target[:min(most, len(f.target))]
		files[name] = f
	}
}

// What mkfs.jffs2 puts into its images of every sort is found there.
func TestJFFS2(t *testing.T) {
	needsPeers(t)
	s := newSource(t, 2_000_000)
	s.must(os.Link(s.path("etc/passwd"), s.path("etc/passwd-")))
	want := s.files()
	cutLinks(want, 254)
	for _, options := range []string{
		"-l", "-b", "-l -m none", "-b -x zlib -x lzo", "-b -x rtime -x lzo", "-l -s 16384 -e 128", "-l -n -p", "-l -e 256 -p16777216", "-b -m size",
	} {
		t.Run(options, func(t *testing.T) {
			file := image(t, 0)
			tool(t, "mkfs.jffs2", append([]string{"-r", s.root, "-o", file, "-D", deviceTable(t)}, strings.Fields(options)...)...)
			got := found(t, openedFile(t, file, "jffs2"))
			sameDevices(t, got)
			same(t, got, want, nil)
		})
	}
}

// With a summary of each block, as sumtool adds it; and two file systems side by side are two.
func TestJFFS2Summed(t *testing.T) {
	needsPeers(t)
	s, other := newSource(t, 300_000), newSource(t, 200_000)
	other.must(os.RemoveAll(other.path("many/file-with-quite-a-long-name-100")))
	other.put("etc/passwd", 0o600, []byte("another"))
	s.must(os.Remove(s.path("etc/link900"))) // mkfs.jffs2 cuts it short
	s.must(os.Remove(other.path("etc/link900")))
	both := []byte{}
	for _, s := range []*source{s, other} {
		plain, summed := image(t, 0), image(t, 0)
		tool(t, "mkfs.jffs2", "-l", "-e", "64", "-r", s.root, "-o", plain)
		tool(t, "sumtool", "-l", "-e", "64", "-i", plain, "-o", summed, "-p")
		same(t, found(t, openedFile(t, summed, "jffs2")), s.files(), nil)
		b, err := os.ReadFile(summed)
		s.must(err)
		both = append(both, b...)
		both = append(both, strings.Repeat("\xff", 3*65536-len(b)&65535)...)
	}
	root := opened(t, both)
	if len(root.Children) < 2 || root.Children[0].Format != "jffs2" || root.Children[1].Format != "jffs2" {
		t.Fatalf("there are %d parts", len(root.Children))
	}
	same(t, found(t, root.Children[0]), s.files(), nil)
	same(t, found(t, root.Children[1]), other.files(), nil)
}
