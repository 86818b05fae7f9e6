// Inspect measures how fast, and in how little memory, shakedown inspect goes through images, and how binwalk and gitleaks do on the same
// files in the same run.
//
//	go run ./bench/inspect
//	go run ./bench/inspect hostile [PART OF A NAME]
//
// The second measures what files cost that are made to cost much.
//
// The images are made here of this machine's programs, with mksquashfs (Debian: squashfs-tools). A peer that is not installed is named
// and left out.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	fmt.Printf("%s, %s/%s, %d cores\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if err := measure(); err != nil {
		fmt.Println("not measured:", err)
		os.Exit(1)
	}
}

// cost is what a command took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at its most
}

// run runs a command and gives what it took. Exit codes of a verdict are no failure.
func run(dir, name string, args ...string) (cost, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	start := time.Now()
	out, err := c.CombinedOutput()
	wall := time.Since(start)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1 && exit.ExitCode() != 3) {
		return cost{}, fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	u := c.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{wall, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), u.Maxrss << 10}, nil
}

func measure() error {
	dir, err := os.MkdirTemp("", "bench-inspect-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "shakedown")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./cmd/shakedown").CombinedOutput(); err != nil {
		return fmt.Errorf("build shakedown: %w\n%s", err, out)
	}
	image := filepath.Join(dir, "router.bin")
	if err := router(dir, image); err != nil {
		return err
	}
	if len(os.Args) > 1 && os.Args[1] == "hostile" {
		return measureHostile(dir, binary, image, strings.Join(os.Args[2:], " "))
	}
	const repetitions = 3
	ours, err := best(repetitions, func(n int) (cost, error) {
		return run(dir, binary, "inspect", image, "--out", filepath.Join(dir, fmt.Sprint("run", n)))
	})
	if err != nil {
		return err
	}
	line("router image of 32 MB, whole", ours.wall.Seconds(), "s", "< 5 s", ours.wall < 5*time.Second)
	fmt.Printf("%-46s %8.2f s of CPU, %d MiB\n", "", ours.cpu.Seconds(), ours.memory>>20)
	big := filepath.Join(dir, "big.bin")
	if err := mixed(big, 1<<30); err != nil {
		return err
	}
	whole, err := run(dir, binary, "inspect", big, "--out", filepath.Join(dir, "run-big"))
	if err != nil {
		return err
	}
	line("memory for an image of 1 GiB", float64(whole.memory>>20), "MiB", "< 512 MiB", whole.memory < 512<<20)
	fmt.Printf("%-46s %8.2f s, %.0f MB per second of CPU\n", "", whole.wall.Seconds(), float64(1<<30)/1e6/whole.cpu.Seconds())
	if err := dense(dir, binary); err != nil {
		return err
	}
	return errors.Join(beside(dir, binary, image), besideGitleaks(dir, binary))
}

// dense goes through text in which there is hardly anything but what is looked for.
func dense(dir, binary string) error {
	source, err := os.ReadFile("artefact/rules/rules.yaml")
	if err != nil {
		return err
	}
	for what, text := range map[string]string{
		"URLs":           "server = https://updates.reference.test/v1\npassword and token are set by the user; see the manual at http://docs.reference.test/ for more\n",
		"words of rules": string(source),
	} {
		file := filepath.Join(dir, "dense.txt")
		if err := os.WriteFile(file, bytes.Repeat([]byte(text), 128<<20/len(text)), 0o644); err != nil {
			return err
		}
		c, err := run(dir, binary, "inspect", file, "--out", filepath.Join(dir, "run-"+what))
		if err != nil {
			return err
		}
		speed := float64(128<<20) / 1e6 / c.cpu.Seconds()
		line("whole pass over text full of "+what, speed, "MB/s", ">= 100", speed >= 100)
	}
	return nil
}

// beside runs binwalk on the same files. It looks into no file of a file system, unless it unpacks them, and then at the files that it
// knows only; where bytes lie open both look at every one.
func beside(dir, binary, image string) error {
	if _, err := exec.LookPath("binwalk"); err != nil {
		fmt.Println("binwalk: NOT MEASURED, it is not installed (Debian: binwalk)")
		return nil
	}
	unpacks, err := run(dir, "binwalk", "--run-as=root", "-M", "-e", "-q", "-C", filepath.Join(dir, "binwalked"), image)
	if err != nil {
		return err
	}
	fmt.Printf("%-46s %8.2f s, %.2f s of CPU\n", "binwalk -Me unpacks the router image in", unpacks.wall.Seconds(), unpacks.cpu.Seconds())
	open := filepath.Join(dir, "open.bin")
	if err := mixed(open, 64<<20); err != nil {
		return err
	}
	ours, err := run(dir, binary, "inspect", open, "--out", filepath.Join(dir, "run-open"))
	if err != nil {
		return err
	}
	theirs, err := run(dir, "binwalk", open)
	if err != nil {
		return err
	}
	times := theirs.cpu.Seconds() / ours.cpu.Seconds()
	line("times as fast as binwalk on 64 MiB, in CPU", times, "x", ">= 20 x", times >= 20)
	return nil
}

func line(what string, value float64, unit, bar string, held bool) {
	verdict := "ok"
	if !held {
		verdict = "MISSED"
	}
	fmt.Printf("%-46s %8.2f %-4s %-10s %s\n", what, value, unit, bar, verdict)
}

// best is the cheapest of some runs.
func best(n int, run func(int) (cost, error)) (least cost, err error) {
	for i := range n {
		c, err := run(i)
		if err != nil {
			return c, err
		}
		if i == 0 || c.wall < least.wall {
			least = c
		}
	}
	return least, nil
}

// router makes an image of about 32 MB: programs of this machine in a Squashfs file system with xz, as most routers have it.
func router(dir, image string) error {
	root := filepath.Join(dir, "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	const plain = 86 << 20 // bytes that xz makes about 32 MB of
	total := int64(0)
	for _, from := range []string{"/usr/bin", "/usr/lib"} {
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || total > plain {
				return nil
			}
			if info, err := d.Info(); err != nil || info.Size() > 4<<20 { // routers hold no larger ones
				return nil
			}
			n, err := put(path, filepath.Join(root, fmt.Sprint(total, "-", d.Name())))
			total += n
			return err
		})
		if err != nil {
			return err
		}
	}
	if out, err := exec.Command("mksquashfs", root, image, "-comp", "xz", "-b", "256k", "-no-progress", "-noappend").CombinedOutput(); err != nil {
		return fmt.Errorf("mksquashfs: %w\n%s", err, out)
	}
	info, err := os.Stat(image)
	if err == nil {
		fmt.Printf("%-46s %8.1f MB, of %.0f MB unpacked\n", "router image", float64(info.Size())/1e6, float64(total)/1e6)
	}
	return err
}

func put(from, to string) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, nil // not for us to read
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	return n, errors.Join(err, out.Close())
}

// mixed makes a file of random bytes, text and programs in turn.
func mixed(name string, size int64) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	noise := make([]byte, 1<<20)
	chance := rand.NewChaCha8([32]byte{1})
	for at := int64(0); at < size; {
		chance.Read(noise)
		for _, b := range [][]byte{noise, program[:min(len(program), 1<<20)]} {
			n, err := out.Write(b[:min(int64(len(b)), size-at)])
			if err != nil {
				return errors.Join(err, out.Close())
			}
			at += int64(n)
		}
	}
	return out.Close()
}
