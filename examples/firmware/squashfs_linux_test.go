//go:build peers

package firmware

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSquashfs opens images of 60 MB of programs in every compression, and has unsquashfs unpack the same. The figures are megabytes of
// files per second of processor time, which other work on the machine changes little: go test -tags peers ./examples/firmware -bench
// Squashfs -run none.
func BenchmarkSquashfs(b *testing.B) {
	folder, size := programs(b, 60<<20)
	for _, compression := range []string{"gzip", "xz", "lzma", "lzo", "lz4", "zstd"} {
		b.Run(compression, func(b *testing.B) {
			image := filepath.Join(b.TempDir(), "image")
			tool(b, "mksquashfs", folder, image, "-quiet", "-no-progress", "-comp", compression)
			data, err := os.ReadFile(image)
			if err != nil {
				b.Fatal(err)
			}
			var ours, theirs time.Duration
			for b.Loop() {
				from := spent(b, syscall.RUSAGE_SELF)
				opened(b, data)
				ours += spent(b, syscall.RUSAGE_SELF) - from
				b.StopTimer()
				c := exec.Command("unsquashfs", "-quiet", "-no-progress", "-dest", filepath.Join(b.TempDir(), "unpacked"), image)
				if out, err := c.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				theirs += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.N)*float64(size)/1e6/ours.Seconds(), "MB/cpu-s")
			b.ReportMetric(float64(b.N)*float64(size)/1e6/theirs.Seconds(), "unsquashfs-MB/cpu-s")
		})
	}
}

func spent(b *testing.B, who int) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(who, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// programs is a folder with programs of this machine, those in the midst by their sizes, and how many bytes they have.
func programs(b *testing.B, most int64) (folder string, size int64) {
	b.Helper()
	files, err := filepath.Glob("/usr/bin/*")
	if err != nil {
		b.Fatal(err)
	}
	of := map[string]int64{}
	files = slices.DeleteFunc(files, func(f string) bool {
		i, err := os.Lstat(f)
		if err == nil {
			of[f] = i.Size()
		}
		return err != nil || !i.Mode().IsRegular() || i.Size() > most/8
	})
	slices.SortFunc(files, func(x, y string) int { return int(of[y] - of[x]) })
	folder = b.TempDir()
	for _, f := range files {
		if size+of[f] > most {
			continue
		}
		content, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(f)), content, 0o644); err != nil {
			b.Fatal(err)
		}
		size += of[f]
	}
	return folder, size
}
