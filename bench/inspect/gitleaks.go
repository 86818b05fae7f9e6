package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/product"
)

const getGitleaks = "go install github.com/zricethezav/gitleaks/v8@v8.30.1"

// besideGitleaks runs gitleaks over the same files in the same run: over sources and texts, which both read whole, and over the root file
// system of the router image, of whose programs gitleaks reads nothing.
func besideGitleaks(dir, binary string) error {
	if _, err := exec.LookPath("gitleaks"); err != nil {
		fmt.Println("gitleaks: NOT MEASURED, it is not installed (" + getGitleaks + ")")
		return nil
	}
	texts := filepath.Join(dir, "texts")
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	if err := gather(texts, 12<<20, filepath.Join(strings.TrimSpace(string(root)), "src"), "/etc", "/usr/share"); err != nil {
		return err
	}
	times, err := apart(dir, binary, texts, 5)
	if err != nil {
		return err
	}
	line("times as fast as gitleaks on an unpacked tree", times, "x", ">= 10 x", times >= 10)
	times, err = apart(dir, binary, filepath.Join(dir, "root"), 5)
	if err != nil {
		return err
	}
	fmt.Printf("%-46s %8.2f x\n", "the same on programs, which gitleaks skips", times)
	return recall(dir)
}

// gather copies files in which there is no NUL, so many bytes of each folder at most.
func gather(to string, most int64, folders ...string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for i, from := range folders {
		total := int64(0)
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || total > most/int64(len(folders)) {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil || len(text) > 1<<20 || bytes.IndexByte(text, 0) >= 0 {
				return nil
			}
			total += int64(len(text))
			return os.WriteFile(filepath.Join(to, fmt.Sprint(i, "-", total, "-", d.Name())), text, 0o644)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// apart gives how many times as much CPU gitleaks takes for a tree: the medians of runs in turn. Shakedown is given the tree in a tar.
func apart(dir, binary, tree string, runs int) (float64, error) {
	packed := tree + ".tar"
	if out, err := exec.Command("tar", "cf", packed, "-C", filepath.Dir(tree), filepath.Base(tree)).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("tar: %w\n%s", err, out)
	}
	info, err := os.Stat(packed)
	if err != nil {
		return 0, err
	}
	var ours, theirs []time.Duration
	for i := range runs {
		we, err := run(dir, binary, "inspect", packed, "--out", fmt.Sprintf("%s-run%d", tree, i))
		if err != nil {
			return 0, err
		}
		they, err := run(dir, "gitleaks", "dir", tree, "--no-banner", "-l", "error", "--exit-code", "0")
		if err != nil {
			return 0, err
		}
		ours, theirs = append(ours, we.cpu), append(theirs, they.cpu)
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	mb := float64(info.Size()) / 1e6
	fmt.Printf("%-46s %8.2f s of CPU, gitleaks %.2f s; %.0f and %.1f MB per second of CPU\n", fmt.Sprintf("tree of %.0f MB (%s)", mb, filepath.Base(tree)),
		ours[runs/2].Seconds(), theirs[runs/2].Seconds(), mb/ours[runs/2].Seconds(), mb/theirs[runs/2].Seconds())
	return theirs[runs/2].Seconds() / ours[runs/2].Seconds(), nil
}

// recall plants a token and a private key in files of six sorts, and counts what each finds.
func recall(dir string) error {
	files, token, modulus, err := planted()
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "planted")
	if err := os.MkdirAll(tree, 0o755); err != nil {
		return err
	}
	ours := 0
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(tree, name), data, 0o644); err != nil {
			return err
		}
		f, err := artefact.Examine(context.Background(), artefact.Source{Role: product.Firmware, File: name, Data: io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(f.Secrets, func(s artefact.Secret) bool { return s.Value == token }) {
			ours++
		}
		if slices.ContainsFunc(f.PrivateKeys, func(k artefact.PrivateKey) bool { return k.Key != nil && k.Key.N != nil && k.Key.N.Cmp(modulus) == 0 }) {
			ours++
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	list := filepath.Join(dir, "gitleaks.json")
	if _, err := run(dir, "gitleaks", "dir", tree, "--no-banner", "-l", "error", "--exit-code", "0", "-f", "json", "-r", list); err != nil {
		return err
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var leaks []struct{ File, Secret string }
	if err := json.Unmarshal(text, &leaks); err != nil {
		return fmt.Errorf("read what gitleaks found: %w", err)
	}
	theirs := map[string]bool{}
	for _, l := range leaks {
		switch {
		case l.Secret == token:
			theirs[l.File+" token"] = true
		case strings.Contains(l.Secret, "PRIVATE KEY"):
			theirs[l.File+" key"] = true
		}
	}
	line("of a token and a key in six sorts of files", float64(ours), "", "12", ours == 12)
	fmt.Printf("%-46s %8d\n", "gitleaks finds of these", len(theirs))
	return nil
}

// planted are files that hold the same token and the same key where scanners of sources do not look.
func planted() (files map[string][]byte, token string, modulus *big.Int, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, "", nil, err
	}
	token = strings.Join([]string{"gh", "p_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz"}, "") // not whole in this program
	secrets := append([]byte("token = "+token+"\n"), pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})...)
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return nil, "", nil, err
	}
	noise := make([]byte, 200_000)
	rand.Read(noise)
	return map[string][]byte{
		"notes.txt":    secrets,
		"disk.img":     slices.Concat(make([]byte, 4096), secrets, make([]byte, 4096)),
		"firmware.bin": slices.Concat([]byte("\x00\x20\x00\x20\x99\x01\x00\x08"), secrets, []byte{0xff, 0xff}),
		"header.elf":   slices.Concat([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57), secrets),
		"program":      slices.Concat(program, secrets),
		"random":       slices.Concat(noise, secrets),
	}, token, key.N, nil
}
