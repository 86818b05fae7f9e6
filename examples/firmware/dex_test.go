//go:build peers

package firmware

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/app"
)

// settingsAPK is an app as Android Studio's tools build one: Appium's, of the Apache License, with nine files of byte code.
const settingsAPK = "io.appium.settings/apks/settings_apk-debug.apk"

// byteCode are the files of it in the app.
func byteCode(t *testing.T) map[string][]byte {
	t.Helper()
	data := shipped(t, ofNPM(settingsAPK))
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range r.File {
		if !strings.HasSuffix(f.Name, ".dex") {
			continue
		}
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name], err = io.ReadAll(from); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var (
	listedMethod = regexp.MustCompile(`(?m)^(\[*L?[^;\s]+;?)->([^(]+)\(`)
	dumpedClass  = regexp.MustCompile(`  Class descriptor  : '(.*)'\n.*\n  Superclass        : '(.*)'\n`)
)

// codeOf is what baksmali and dexdump say of byte code, as far as it is kept.
func codeOf(t *testing.T, file string) *app.Code {
	t.Helper()
	c := &app.Code{Methods: map[app.Method]bool{}, Supers: map[string]string{}}
	for _, m := range listedMethod.FindAllStringSubmatch(string(tool(t, "baksmali", "list", "methods", file)), -1) {
		if strings.HasPrefix(m[1], "Landroid/") || m[2] == "startForeground" || m[2] == "onTimeout" || m[2] == "requestPermissions" {
			c.Methods[app.Method{Class: m[1], Name: m[2]}] = true
		}
	}
	for line := range strings.Lines(string(tool(t, "baksmali", "list", "strings", file))) {
		for _, scheme := range []string{"http://", "ws://", "mqtt://", "tcp://"} {
			if s, err := strconv.Unquote(strings.TrimSpace(line)); err == nil && strings.HasPrefix(s, scheme) && s != scheme {
				c.Hosts = append(c.Hosts, s)
			}
		}
	}
	for _, m := range dumpedClass.FindAllStringSubmatch(string(tool(t, "dexdump", file)), -1) {
		c.Supers[m[1]] = m[2]
	}
	return c
}

// What R8 and D8 made is read as baksmali and dexdump read it.
func TestByteCodeOfR8(t *testing.T) {
	t.Parallel()
	files := byteCode(t)
	if len(files) != 9 {
		t.Fatal(slices.Sorted(maps.Keys(files)))
	}
	methods, classes := 0, 0
	for _, name := range []string{"classes.dex", "classes5.dex"} {
		data := files[name]
		var got app.Code
		if err := got.Add(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := codeOf(t, stored(t, name, data))
		if !reflect.DeepEqual(want, &got) {
			t.Errorf("%s: %.3000s", name, cmp.Diff(want, &got))
		}
		methods, classes = methods+len(got.Methods), classes+len(got.Supers)
	}
	if methods < 2500 || classes < 5000 {
		t.Errorf("%d methods and %d classes", methods, classes)
	}
}

// The app is told of as aapt tells of it, and as apksigner does.
func TestBuiltApp(t *testing.T) {
	t.Parallel()
	file := ofNPM(settingsAPK)
	a := theApp(t, shipped(t, file)).Android
	m := a.Manifest
	has := fmt.Sprintf("package name=%q versionCode=\"%d\" versionName=%q\nsdkVersion %q\ntargetSdkVersion %q\n", m.Package, m.VersionCode, m.VersionName, fmt.Sprint(m.MinSDK), fmt.Sprint(m.TargetSDK))
	permissions := []string{}
	for _, p := range m.Permissions {
		permissions = append(permissions, p.Name)
	}
	says, asks := "", []string{}
	for _, line := range badged.FindAllStringSubmatch(string(tool(t, "aapt", "dump", "badging", file)), -1) {
		text := strings.ReplaceAll(line[2], "'", `"`)
		text, _, _ = strings.Cut(text, " platformBuild")
		text, _, _ = strings.Cut(text, " compileSdk")
		if line[1] == "uses-permission" {
			name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), `name="`), `"`)
			asks = append(asks, name)
			continue
		}
		says += line[1] + " " + strings.TrimSpace(text) + "\n"
	}
	if diff := cmp.Diff(says, has) + cmp.Diff(asks, permissions); diff != "" || len(asks) < 10 {
		t.Errorf("%d permissions: %s", len(asks), diff)
	}
	if !m.Debuggable || a.Code == nil || a.Code.Supers["Lio/appium/settings/AppiumIME;"] != "Landroid/inputmethodservice/InputMethodService;" {
		t.Errorf("debuggable: %v", m.Debuggable)
	}
	verified := string(tool(t, "apksigner", "verify", "--verbose", file))
	for _, scheme := range []int{1, 2, 3} {
		if said := strings.Contains(verified, fmt.Sprintf("Verified using v%d scheme", scheme)) && strings.Contains(verified, fmt.Sprintf("v%d scheme (", scheme)) &&
			regexp.MustCompile(fmt.Sprintf(`v%d scheme \([^)]*\): true`, scheme)).MatchString(verified); said != slices.Contains(a.Signatures.Schemes, scheme) {
			t.Errorf("scheme %d: %v, and apksigner says:\n%s", scheme, a.Signatures.Schemes, verified)
		}
	}
}

// smaliSource has what is looked for, and what is like it.
var smaliSource = map[string]string{
	"Main.smali": `.class public Ltest/Main;
.super Landroid/app/Service;
.method public run()V
    .registers 3
    const-string v0, "http://example.test/é"
    const-string v0, "https://example.test/"
    const-string v0, "mqtt://broker.test"
    const-string v0, "say http://nothing"
    const-string v0, "ws://\u6e29\u5ea6.test/\ud83d\ude00"
    const/4 v1, 0x1
    invoke-virtual {p0, v1, v2}, Ltest/Main;->startForeground(ILandroid/app/Notification;)V
    invoke-static {}, Ltest/Other;->elsewhere()V
    return-void
.end method
.method public onTimeout(I)V
    .registers 2
    return-void
.end method
`,
	"Other.smali": `.class public final Ltest/Other;
.super Ljava/lang/Object;
.method public static elsewhere()V
    .registers 0
    return-void
.end method
`,
}

// What smali assembles for each version of Android that has a format of its own is read as it was written.
func TestByteCodeOfSmali(t *testing.T) {
	t.Parallel()
	sources := map[string][]byte{}
	for name, text := range smaliSource {
		sources[name] = []byte(text)
	}
	dir := written(t, sources)
	want := &app.Code{
		Methods: map[app.Method]bool{{Class: "Ltest/Main;", Name: "startForeground"}: true, {Class: "Ltest/Main;", Name: "onTimeout"}: true},
		Supers:  map[string]string{"Ltest/Main;": "Landroid/app/Service;", "Ltest/Other;": "Ljava/lang/Object;"},
		Hosts:   []string{"http://example.test/é", "mqtt://broker.test", "ws://温度.test/😀"},
	}
	for api, version := range map[string]string{"15": "035", "28": "039"} {
		out := filepath.Join(t.TempDir(), "classes.dex")
		tool(t, "smali", "assemble", "--api", api, "-o", out, dir)
		data := shipped(t, out)
		var got app.Code
		if err := got.Add(data); err != nil || string(data[4:7]) != version {
			t.Errorf("version %s: %v", data[4:7], err)
		}
		if diff := cmp.Diff(want, &got); diff != "" {
			t.Errorf("version %s: %s", version, diff)
		}
	}
}
