package security

import (
	"bytes"
	"io/fs"
	"testing"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/cipher"
	"github.com/shakedown-test/shakedown/artefact/hardening"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/elf"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/reference/image"
)

// binary is a program for a device, hardened but for what change does.
func binary(t *testing.T, change func(*image.ELF)) artefact.Binary {
	t.Helper()
	e := image.ELF{
		Machine: 40, Interpreter: "/lib/ld-linux-armhf.so.3", RELRO: true, Now: true, Needed: []string{"libc.so.6"},
		Imports: []string{"bind", "listen", "accept", "memcpy", "printf", "snprintf", "__snprintf_chk", "__stack_chk_fail"},
	}
	if change != nil {
		change(&e)
	}
	b := e.Bytes()
	f, err := elf.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	facts, ok := hardening.Of(f)
	if !ok {
		t.Fatal("it is no program of Linux")
	}
	root := &tree.Node{Name: "rootfs"}
	n := &tree.Node{Name: "usr/bin/x", File: &tree.File{Mode: 0o755}, Parent: root}
	root.Children = []*tree.Node{n, {Name: "opt/open", File: &tree.File{Mode: fs.ModeDir | 0o777}, Parent: root}, {Name: "opt/own", File: &tree.File{Mode: fs.ModeDir | 0o755}, Parent: root}}
	return artefact.Binary{Binary: facts, Node: n}
}

func TestJudgeBinaries(t *testing.T) {
	imports := func(names ...string) func(*image.ELF) { return func(e *image.ELF) { e.Imports = names } }
	for name, c := range map[string]struct {
		judge  func([]artefact.Binary) []check.Finding
		change func(*image.ELF)
		want   int
	}{
		"stack: plain":                     {judgeStacks, nil, 0},
		"stack: executable":                {judgeStacks, func(e *image.ELF) { e.Stack = image.StackExecutable }, 1},
		"stack: not marked, Arm":           {judgeStacks, func(e *image.ELF) { e.Stack = image.StackUnmarked }, 1},
		"stack: not marked, AArch64":       {judgeStacks, func(e *image.ELF) { e.Stack, e.Machine, e.Wide = image.StackUnmarked, 183, true }, 0},
		"address: anywhere":                {judgePositions, nil, 0},
		"address: fixed":                   {judgePositions, func(e *image.ELF) { e.Fixed = true }, 1},
		"relocations: read-only":           {judgeRelocations, nil, 0},
		"relocations: in part":             {judgeRelocations, func(e *image.ELF) { e.Now = false }, 1},
		"relocations: open":                {judgeRelocations, func(e *image.ELF) { e.RELRO, e.Now = false, false }, 1},
		"canary: there":                    {judgeProtectors, nil, 0},
		"canary: not there":                {judgeProtectors, imports("bind", "listen"), 1},
		"fortified: a call":                {judgeFortified, nil, 0},
		"fortified: none":                  {judgeFortified, imports("memcpy", "printf", "snprintf", "bind"), 1},
		"fortified: hardly anything to do": {judgeFortified, imports("memcpy", "bind"), 0},
		"libraries: nothing said":          {judgeLibraryPaths, nil, 0},
		"libraries: beside it":             {judgeLibraryPaths, func(e *image.ELF) { e.RunPath = "$ORIGIN/../lib:/usr/lib/x:/opt/own" }, 0},
		"libraries: temporary":             {judgeLibraryPaths, func(e *image.ELF) { e.RunPath = "/tmp/x:/usr/lib" }, 1},
		"libraries: relative and empty":    {judgeLibraryPaths, func(e *image.ELF) { e.RPath = "lib::/usr/lib" }, 2},
		"libraries: open to all":           {judgeLibraryPaths, func(e *image.ELF) { e.RPath = "/opt/open" }, 1},
		"symbols: stripped":                {judgeSymbols, nil, 0},
		"symbols: there":                   {judgeSymbols, func(e *image.ELF) { e.Symbols = []string{"main"} }, 1},
		"unbounded: none":                  {judgeUnbounded, nil, 0},
		"unbounded: some":                  {judgeUnbounded, imports("bind", "listen", "strcpy"), 1},
		"unbounded: gets":                  {judgeUnbounded, imports("bind", "gets", "listen"), 2},
		"ciphers: none":                    {judgeCiphers, imports("EVP_aes_128_gcm", "BFD_x", "RC4X"), 0},
		"ciphers: DES and RC4":             {judgeCiphers, imports("DES_ecb_encrypt", "DES_set_key", "EVP_rc4"), 2},
	} {
		if got := c.judge([]artefact.Binary{binary(t, c.change)}); len(got) != c.want {
			t.Errorf("%s: %v, want %d findings", name, got, c.want)
		}
	}
}

func TestJudgeCipherTables(t *testing.T) {
	n := &tree.Node{Name: "app.bin"}
	all := []artefact.CipherTable{{Table: cipher.Table{Algorithm: "DES", At: 4}, Node: n}, {Table: cipher.Table{Algorithm: "MD5", At: 8}, Node: n}}
	if got := judgeCipherTables(all); len(got) != 1 {
		t.Errorf("%v, want one finding", got)
	}
}
