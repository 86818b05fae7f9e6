//go:build peers

package firmware

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/app"
)

// ofApple is what a program says of itself, as ipsw's library prints it.
type ofApple struct {
	Libraries    []string
	MinOS, SDK   string
	Entitlements string
}

// shown is what the library says of every processor of a program.
func shown(t *testing.T, file string) (all []ofApple) {
	t.Helper()
	if err := json.Unmarshal(tool(t, makers, "macho", "show", file), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// sameProgram compares what is read of a program with what the library says of one of its processors.
func sameProgram(t *testing.T, file string, want ofApple) *app.MachO {
	t.Helper()
	data := shipped(t, file)
	m, err := app.ParseMachO(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	whole := func(v string) string { // 11 is 11.0, and 13.1.0 is 13.1
		return strings.Join(append(strings.Split(v, "."), "0")[:2], ".")
	}
	got := ofApple{Libraries: m.Libraries, MinOS: m.MinOS.String(), SDK: m.SDK.String()}
	if diff := cmp.Diff(ofApple{Libraries: want.Libraries, MinOS: whole(want.MinOS), SDK: whole(want.SDK)}, got); diff != "" {
		t.Errorf("%s: %s", filepath.Base(file), diff)
	}
	var entitled app.Dict
	if want.Entitlements != "" {
		if entitled, err = app.ParsePlist([]byte(want.Entitlements)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(entitled, m.Entitlements); diff != "" {
		t.Errorf("%s: %s", filepath.Base(file), diff)
	}
	return m
}

const entitlements = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>get-task-allow</key><true/><key>aps-environment</key><string>production</string>
<key>com.apple.developer.associated-domains</key><array><string>applinks:cloud.reference.test</string></array></dict></plist>
`

// Programs that Go builds, and that ipsw's library signs and joins, are read as that library reads them.
func TestSignedPrograms(t *testing.T) {
	t.Parallel()
	dir := written(t, map[string][]byte{"main.go": []byte("package main\n\nimport \"os\"\n\nfunc main() { os.Exit(3) }\n"), "entitlements": []byte(entitlements)})
	build := func(arch string) string {
		out := filepath.Join(dir, arch)
		tool(t, "env", "GOOS=darwin", "GOARCH="+arch, "CGO_ENABLED=0", "GOCACHE="+goCache(t), "go", "build", "-ldflags=-s -w", "-o", out, filepath.Join(dir, "main.go"))
		if m := sameProgram(t, out, shown(t, out)[0]); m.Entitlements != nil {
			t.Errorf("%s is entitled before it is signed: %v", arch, m.Entitlements)
		}
		return out
	}
	older, plain, signed := build("amd64"), build("arm64"), filepath.Join(dir, "signed")
	tool(t, makers, "macho", "sign", plain, signed, "test.reference.app", filepath.Join(dir, "entitlements"))
	if m := sameProgram(t, signed, shown(t, signed)[0]); m.Entitlements["aps-environment"] != "production" || !m.Entitlements.True("get-task-allow") {
		t.Errorf("it is entitled to %v", m.Entitlements)
	}
	joined := filepath.Join(dir, "joined")
	tool(t, makers, "macho", "join", joined, older, signed)
	all := shown(t, joined)
	if len(all) != 2 {
		t.Fatal(all)
	}
	sameProgram(t, joined, all[1])
	// Cut off within its signature, it is entitled to nothing.
	whole := shipped(t, signed)
	at := bytes.Index(whole, []byte("aps-environment"))
	if m, err := app.ParseMachO(bytes.NewReader(whole[:at]), int64(at)); err == nil && m.Entitlements != nil {
		t.Errorf("%v", m.Entitlements)
	}
}

// A library that Apple's own linker made, for two processors, of the MIT License.
func TestAppleProgram(t *testing.T) {
	file := ofNPM("fsevents/fsevents.node")
	all := shown(t, file)
	if len(all) != 2 || all[1].MinOS != "11" {
		t.Fatalf("%+v", all)
	}
	sameProgram(t, file, all[1])
}
