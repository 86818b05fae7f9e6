package artefact

import (
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// cpu is the CPU time that this process has taken.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSecrets measures the whole rule pass: over a program (this test), over text as configuration and sources have it, over bytes
// that look random, and over text in which there is hardly anything but what the rules look for.
func BenchmarkSecrets(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		b.Fatal(err)
	}
	source, err := os.ReadFile("rules/rules.yaml")
	if err != nil {
		b.Fatal(err)
	}
	noise := make([]byte, 16<<20)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	text := []byte(strings.Repeat("server = https://updates.reference.test/v1\npassword and token are set by the user; see the manual at http://docs.reference.test/ for more\n", 1<<16))
	var words string
	for _, r := range rules.All() {
		for i, k := range r.Keywords {
			words += k + " \n"[i%8/7:][:1] // lines of eight
		}
	}
	for name, data := range map[string][]byte{
		"program": program, "text": text, "noise": noise,
		"rules":    []byte(strings.Repeat(string(source), 1000)),
		"keywords": []byte(strings.Repeat(words, 5000)),
		"logins":   []byte(strings.Repeat("proxy = http://user:password@proxy.reference.test:3128/ or mqtts://user:secret@broker.reference.test\n", 1<<17)),
		"logged":   []byte(strings.Repeat("got token %s, password: %s or failed; logger $X to /dev/console ", 1<<17)),
		"sessions": []byte(strings.Repeat("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4eHgifQ.x eyJh", 1<<17)),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			before := cpu(b)
			for b.Loop() {
				var f Found
				findSecrets(content{node: &tree.Node{Name: "x"}, data: data, whole: true}, &f)
			}
			b.ReportMetric(float64(b.N)*float64(len(data))/1e6/(cpu(b)-before).Seconds(), "MB/CPU-s") // whatever else runs here
		})
	}
}
