package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	chance "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// hostile is a file that is made to cost much.
type hostile struct {
	name  string
	write func(w io.Writer, k *kit) error
}

// kit is what hostile files are made of.
type kit struct {
	image []byte // of a router
	cert  []byte // DER; its serial number begins at serial
	at    int
	key   []byte // PEM
	ec    []byte // DER
}

const (
	most   = 512 << 20 // bytes of memory
	enough = 10 * time.Second
)

// measureHostile goes through files that are made to cost much, those whose name has some in it, each by itself, as on a machine with four cores.
func measureHostile(dir, binary, image, some string) error {
	k, err := newKit(image)
	if err != nil {
		return err
	}
	if err := os.Setenv("GOMAXPROCS", "4"); err != nil {
		return err
	}
	defer os.Unsetenv("GOMAXPROCS")
	for _, h := range hostiles {
		if !strings.Contains(h.name, some) {
			continue
		}
		file := filepath.Join(dir, "hostile.bin")
		if err := k.make(file, h); err != nil {
			return fmt.Errorf("make %s: %w", h.name, err)
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		c, err := run(dir, binary, "inspect", file, "--out", filepath.Join(dir, "run-hostile"))
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		held := "ok"
		if c.memory >= most {
			held = "MISSED"
		}
		slow := ""
		if info.Size() <= 33<<20 && c.cpu > enough {
			slow = "SLOW"
		}
		fmt.Printf("%-34s %8.1f MB %6d MiB %-6s %7.2f s of CPU %7.2f s %s\n", h.name, float64(info.Size())/1e6, c.memory>>20, held, c.cpu.Seconds(), c.wall.Seconds(), slow)
		if err := os.RemoveAll(filepath.Join(dir, "run-hostile")); err != nil {
			return err
		}
	}
	return nil
}

func (k *kit) make(name string, h hostile) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(h.write(w, k), w.Flush(), f.Close())
}

func newKit(image string) (*kit, error) {
	k := &kit{}
	var err error
	if k.image, err = os.ReadFile(image); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial := []byte("\x41serial number..")
	t := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: "device.reference.test", Organization: []string{"Reference"}}, DNSNames: []string{"device.reference.test"},
		NotBefore: time.Unix(1700000000, 0), NotAfter: time.Unix(1800000000, 0),
	}
	if k.cert, err = x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key); err != nil {
		return nil, err
	}
	k.at = bytes.Index(k.cert, serial) + 1
	if k.ec, err = x509.MarshalECPrivateKey(key); err != nil {
		return nil, err
	}
	pair, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		return nil, err
	}
	k.key = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(pair)})
	return k, nil
}

// certs are so many certificates, each with a number of its own.
func (k *kit) certs(from, n int) []byte {
	var all []byte
	for i := range n {
		c := bytes.Clone(k.cert)
		binary.BigEndian.PutUint32(c[k.at:], uint32(from+i))
		all = append(all, c...)
	}
	return all
}

// packed writes a tar packed with gzip.
func packed(w io.Writer, files int, file func(i int) (name string, data []byte)) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for i := range files {
		name, data := file(i)
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

// repeated writes a text over and over, up to a size.
func repeated(w io.Writer, size int, text []byte) error {
	block := bytes.Repeat(text, 1+(1<<20)/len(text))
	for size > 0 {
		n, err := w.Write(block[:min(len(block), size)])
		if err != nil {
			return err
		}
		size -= n
	}
	return nil
}

func noise(seed byte, size int) []byte {
	b := make([]byte, size)
	chance.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

var hostiles = []hostile{
	{"image cut in the middle", func(w io.Writer, k *kit) error { _, err := w.Write(k.image[:len(k.image)/2]); return err }},
	{"image with spoilt bytes", func(w io.Writer, k *kit) error {
		b, c := bytes.Clone(k.image), chance.New(chance.NewPCG(1, 1))
		for range 2000 {
			b[c.IntN(len(b))] ^= byte(1 + c.IntN(255))
		}
		_, err := w.Write(b)
		return err
	}},
	{"noise of 32 MB", func(w io.Writer, _ *kit) error { _, err := w.Write(noise(1, 32<<20)); return err }},
	{"zip of 100,000 files", func(w io.Writer, _ *kit) error {
		z := zip.NewWriter(w)
		for i := range 100_000 {
			f, err := z.Create(fmt.Sprintf("folder/of/files/%d.conf", i))
			if err != nil {
				return err
			}
			fmt.Fprintf(f, "key%d = value\n", i)
		}
		return z.Close()
	}},
	{"more files than are opened", func(w io.Writer, _ *kit) error {
		return packed(w, 450_000, func(i int) (string, []byte) { return fmt.Sprintf("etc/%d", i), []byte("x") })
	}},
	{"names of 4 KB", func(w io.Writer, _ *kit) error {
		long := strings.Repeat("a/", 2000)
		return packed(w, 300_000, func(i int) (string, []byte) { return fmt.Sprint(long, i), nil })
	}},
	{"links to 100 KB of text", func(w io.Writer, _ *kit) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		t := tar.NewWriter(z)
		for i := range 15_000 {
			if err := t.WriteHeader(&tar.Header{Name: fmt.Sprint(i), Linkname: strings.Repeat("b", 100_000), Typeflag: tar.TypeSymlink, Format: tar.FormatPAX}); err != nil {
				return err
			}
		}
		return errors.Join(t.Close(), z.Close())
	}},
	{"entries that are noted", func(w io.Writer, _ *kit) error {
		var inner bytes.Buffer
		z := zip.NewWriter(&inner)
		for range 100 {
			h := &zip.FileHeader{Name: strings.Repeat("\x01", 60_000), Flags: 1}
			if _, err := z.CreateRaw(h); err != nil {
				return err
			}
		}
		if err := z.Close(); err != nil {
			return err
		}
		return packed(w, 150, func(i int) (string, []byte) { return fmt.Sprint(i, ".zip"), inner.Bytes() })
	}},
	{"certificates, all in one", func(w io.Writer, k *kit) error { _, err := w.Write(k.certs(0, 32<<20/len(k.cert))); return err }},
	{"certificates in 2,000 files", func(w io.Writer, k *kit) error {
		return packed(w, 2000, func(i int) (string, []byte) { return fmt.Sprint(i, ".der"), k.certs(300*i, 300) })
	}},
	{"keys in 2,000 files", func(w io.Writer, k *kit) error {
		all := bytes.Repeat(k.key, 1000)
		return packed(w, 2000, func(i int) (string, []byte) { return fmt.Sprint(i, ".pem"), all })
	}},
	{"EC keys in 2,000 files", func(w io.Writer, k *kit) error {
		all := bytes.Repeat(k.ec, 5000)
		return packed(w, 2000, func(i int) (string, []byte) { return fmt.Sprint(i, ".der"), all })
	}},
	{"URLs, each another", func(w io.Writer, _ *kit) error {
		tail := strings.Repeat("/aaaaaaa", 100)
		return packed(w, 100, func(i int) (string, []byte) {
			var b []byte
			for n := range 20_000 {
				b = fmt.Appendf(b, "http://h%d.reference.test%s/%d\n", i, tail, n)
			}
			return fmt.Sprint(i, ".txt"), b
		})
	}},
	{"short URLs, each another", func(w io.Writer, _ *kit) error {
		return packed(w, 300, func(i int) (string, []byte) {
			var b []byte
			for n := range 20_000 {
				b = fmt.Appendf(b, "ftp://a%d.b/%d\n", i, n)
			}
			return fmt.Sprint(i, ".txt"), b
		})
	}},
	{"passwords in URLs", func(w io.Writer, _ *kit) error {
		return packed(w, 200, func(i int) (string, []byte) {
			var b []byte
			for n := range 10_000 {
				b = fmt.Appendf(b, "ftp://u:Qu1etRain%d@h%d.reference.test\n", n, i)
			}
			return fmt.Sprint(i, ".txt"), b
		})
	}},
	{"settings in 20,000 files", func(w io.Writer, _ *kit) error {
		var b []byte
		for n := range 5000 {
			b = fmt.Appendf(b, "k%d=v%d\n", n, n)
		}
		return packed(w, 20_000, func(i int) (string, []byte) { return fmt.Sprintf("etc/%d.conf", i), b })
	}},
	{"settings of services, 2,000 files", func(w io.Writer, _ *kit) error {
		var b []byte
		for n := range 50_000 {
			b = fmt.Appendf(b, "k%d=%d\n", n, n)
		}
		return packed(w, 2000, func(i int) (string, []byte) { return fmt.Sprintf("%d/etc/hostapd.conf", i), b })
	}},
	{"accounts in 2,000 files", func(w io.Writer, _ *kit) error {
		var b []byte
		for n := range 10_000 {
			b = fmt.Appendf(b, "u%d:$1$aaaaaaaa$qu2wYqQ.V9Hi1lUVrHmYv0:%d:0::/:/bin/sh\n", n, n)
		}
		return packed(w, 2000, func(i int) (string, []byte) { return fmt.Sprintf("%d/etc/passwd", i), b })
	}},
	{"accounts of many rounds", func(w io.Writer, _ *kit) error {
		sum := strings.Repeat("a", 86)
		return packed(w, 2000, func(i int) (string, []byte) {
			var b []byte
			for n := range 20 {
				b = fmt.Appendf(b, "u%d:$6$rounds=999999999$%d.%d$%s:99999999999999999999:0:99999999999999999999:7:::\n", n, i, n, sum)
			}
			return fmt.Sprintf("%d/etc/shadow", i), b
		})
	}},
	{"packages in 60 databases", func(w io.Writer, _ *kit) error {
		var b []byte
		for n := range 30_000 {
			b = fmt.Appendf(b, "Package: p%d\nStatus: install ok installed\nVersion: %d\n\n", n, n)
		}
		return packed(w, 60, func(i int) (string, []byte) {
			return fmt.Sprintf("%d/var/lib/dpkg/status", i), bytes.ReplaceAll(b, []byte("Package: p"), fmt.Appendf(nil, "Package: p%d", i))
		})
	}},
	{"scripts, 2,000 of 1 MiB", func(w io.Writer, _ *kit) error {
		b := bytes.Repeat([]byte("if a; then telnetd -l /bin/sh & fi\n"), 30_000)
		return packed(w, 2000, func(i int) (string, []byte) { return fmt.Sprintf("%d/etc/init.d/rcS", i), b })
	}},
	{"pages with commands", func(w io.Writer, _ *kit) error {
		b := bytes.Repeat([]byte("<?php system($_GET['a']); ?>\n"), 30_000)
		return packed(w, 2000, func(i int) (string, []byte) { return fmt.Sprintf("www/%d.php", i), b })
	}},
	{"JSON that is nested", func(w io.Writer, _ *kit) error {
		b := []byte(`{"lockfileVersion":3,"packages":{` + strings.Repeat(`"node_modules/a":{"version":"1","x":[[[[[[[[[[[]]]]]]]]]]]},`, 900_000) + `"b":{}}}`)
		return packed(w, 8, func(i int) (string, []byte) { return fmt.Sprintf("%d/package-lock.json", i), b })
	}},
	{"programs, 20,000", func(w io.Writer, _ *kit) error {
		b, err := os.ReadFile("/bin/true")
		if err != nil {
			return err
		}
		return packed(w, 20_000, func(i int) (string, []byte) { return fmt.Sprintf("bin/%d", i), b })
	}},
	{"device tree of many nodes", func(w io.Writer, _ *kit) error {
		b := deviceTree(1_500_000)
		return packed(w, 6, func(i int) (string, []byte) { return fmt.Sprint(i, ".dtb"), b })
	}},
	{"large files side by side", func(w io.Writer, _ *kit) error {
		t := tar.NewWriter(w)
		for i := range 8 {
			if err := t.WriteHeader(&tar.Header{Name: fmt.Sprint(i), Mode: 0o644, Size: 64 << 20}); err != nil {
				return err
			}
			if _, err := t.Write(noise(byte(i), 64<<20)); err != nil {
				return err
			}
		}
		return t.Close()
	}},
	{"bomb of gzip in gzip", func(w io.Writer, _ *kit) error {
		outer, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		inner, err := gzip.NewWriterLevel(outer, gzip.BestSpeed)
		if err != nil {
			return err
		}
		return errors.Join(repeated(inner, 6<<30, make([]byte, 1<<20)), inner.Close(), outer.Close())
	}},
	{"bomb of text in gzip", func(w io.Writer, _ *kit) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		return errors.Join(repeated(z, 4<<30, []byte("token and password of http://h.test are\n")), z.Close())
	}},
	{"xz and zstd of large windows", func(w io.Writer, _ *kit) error {
		lzma := slices.Concat([]byte{0x5d, 0, 0, 0, 0x40}, bytes.Repeat([]byte{0xff}, 8), make([]byte, 1000)) // a dictionary of 1 GiB
		zstd := slices.Concat([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8}, []byte{0x02, 0, 8, 0x00})           // a window of 2 GiB
		return packed(w, 2000, func(i int) (string, []byte) {
			if i%2 == 0 {
				return fmt.Sprint(i, ".lzma"), lzma
			}
			return fmt.Sprint(i, ".zst"), zstd
		})
	}},
	{"beginnings of keys in base64", func(w io.Writer, _ *kit) error { return repeated(w, 32<<20, []byte("MIIEowIBAAKCAQEA")) }},
	{"beginnings of keys in DER", func(w io.Writer, _ *kit) error {
		return repeated(w, 32<<20, []byte("\x30\x82\x04\xa3\x02\x01\x00\x02\x82\x01\x01\x00\x30\x82\x04\xa3\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"))
	}},
	{"beginnings of versions", func(w io.Writer, _ *kit) error {
		return repeated(w, 32<<20, []byte("Linux version 5.4.1 (a U-Boot 2019.07 (b "))
	}},
	{"beginnings of formats", func(w io.Writer, _ *kit) error {
		return repeated(w, 32<<20, []byte("\xd8\x6b\xa2\x02\xd0\x0d\xfe\xed\x27\x05\x19\x56hsqsUBI#\x1f\x8b\x08\x00\xfd7zXZ\x00\x28\xb5\x2f\xfdPK\x03\x04\x7fELF\x02\x01\x01BZh9"))
	}},
	{"text full of words of rules", func(w io.Writer, _ *kit) error {
		return repeated(w, 512<<20, []byte("token: %s logger $PSK http://u:p@h.test AKIA eyJh twilio sendgrid :APA91b sk-T3BlbkFJ \n"))
	}},
}

// deviceTree is a flattened one with so many empty nodes.
func deviceTree(n int) []byte {
	const begin, end, finish = 1, 2, 9
	word := binary.BigEndian.AppendUint32
	s := word(word(nil, begin), 0)
	for i := range n {
		s = append(word(s, begin), byte('a'+i%26), byte('a'+i/26%26), byte('a'+i/676%26), 0)
		s = word(s, end)
	}
	s = word(word(s, end), finish)
	const head, reserved = 40, 16
	b := word(nil, 0xd00dfeed)
	for _, v := range []int{head + reserved + len(s), head + reserved, head + reserved + len(s), head, 17, 16, 0, 0, len(s)} {
		b = word(b, uint32(v))
	}
	return slices.Concat(b, make([]byte, reserved), s)
}
