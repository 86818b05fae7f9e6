package artefact

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// BenchmarkSecrets measures the whole rule pass: over a program (this test), over text as configuration and sources have it, and over
// bytes that look random.
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
	for name, data := range map[string][]byte{"program": program, "text": text, "rules": []byte(strings.Repeat(string(source), 100)), "noise": noise} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				var f Found
				findSecrets(content{node: &tree.Node{Name: "x"}, data: data, whole: true}, &f)
			}
		})
	}
}
