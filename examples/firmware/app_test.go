//go:build peers

package firmware

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/macho"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/reference/phone"
)

const framework = "/usr/share/android-framework-res/framework-res.apk"

const manifest = `<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="test.reference.app" android:versionCode="21" android:versionName="@string/version">
  <uses-sdk android:minSdkVersion="24" android:targetSdkVersion="29"/>
  <uses-permission android:name="android.permission.INTERNET"/>
  <uses-permission android:name="android.permission.BLUETOOTH" android:maxSdkVersion="30"/>
  <uses-permission android:name="android.permission.ACCESS_FINE_LOCATION"/>
  <application android:label="@string/name" android:debuggable="true" android:usesCleartextTraffic="false" android:networkSecurityConfig="@xml/network_security_config">
    <activity android:name=".Main" android:exported="true"><intent-filter><action android:name="android.intent.action.MAIN"/><category android:name="android.intent.category.LAUNCHER"/></intent-filter></activity>
    <service android:name=".Sync" android:foregroundServiceType="dataSync|location" android:exported="@bool/open"/>
    <receiver android:name="test.other.Boot" android:permission="test.other.MAY"><intent-filter><action android:name="android.intent.action.BOOT_COMPLETED"/></intent-filter></receiver>
    <provider android:name="Files" android:authorities="test.reference.files" android:enabled="false"/>
  </application>
</manifest>
`

var appResources = map[string]string{
	"values/values.xml":       `<resources><string name="name">Thermostat “é” 温度</string><string name="version">2.1.0</string><bool name="open">true</bool></resources>`,
	"values-de/values.xml":    `<resources><string name="name">Ofen</string><string name="version">2.1.0-de</string></resources>`,
	"values-v26/values.xml":   `<resources><bool name="open">true</bool></resources>`,
	"xml/unrelated_first.xml": `<unrelated/>`,
	"xml/network_security_config.xml": `<network-security-config>
<base-config cleartextTrafficPermitted="false"><trust-anchors><certificates src="system"/><certificates src="user"/></trust-anchors></base-config>
<domain-config cleartextTrafficPermitted="true"><domain includeSubdomains="false">192.168.4.1</domain></domain-config>
<domain-config><domain includeSubdomains="true">cloud.reference.test</domain><pin-set expiration="2030-01-02"><pin digest="SHA-256">7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y=</pin></pin-set></domain-config>
</network-security-config>`,
}

// sources writes the manifest and the resources into a folder.
func sources(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("AndroidManifest.xml", manifest)
	for name, text := range appResources {
		write("res/"+name, text)
	}
	return dir
}

// packages builds the app with each of the tools: as APKs with texts in UTF-8 and UTF-16, and as a bundle.
func packages(t *testing.T) map[string][]byte {
	t.Helper()
	dir := sources(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	read := func(name string) []byte {
		b, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tool(t, "aapt", "package", "-f", "-M", in("AndroidManifest.xml"), "-S", in("res"), "-I", framework, "-F", in("8.apk"))
	tool(t, "aapt", "package", "-f", "--utf16", "-M", in("AndroidManifest.xml"), "-S", in("res"), "-I", framework, "-F", in("16.apk"))
	tool(t, "aapt2", "compile", "--dir", in("res"), "-o", in("compiled.zip"))
	link := []string{"link", "-I", framework, "--manifest", in("AndroidManifest.xml"), in("compiled.zip"), "-o"}
	tool(t, "aapt2", append(link, in("two.apk"))...)
	tool(t, "aapt2", append(link, in("sparse.apk"), "--enable-sparse-encoding")...)
	tool(t, "aapt2", append(link, in("proto.apk"), "--proto-format")...)
	return map[string][]byte{
		"aapt": read("8.apk"), "aapt, UTF-16": read("16.apk"), "aapt2": read("two.apk"), "aapt2, sparse": read("sparse.apk"), "bundle": bundle(t, read("proto.apk")),
	}
}

// bundle puts a protobuf APK in the order of an app bundle.
func bundle(t *testing.T, apk []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(apk), int64(len(apk)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range r.File {
		name := "base/" + f.Name
		if f.Name == "AndroidManifest.xml" {
			name = "base/manifest/" + f.Name
		}
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		to, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// theApp is the one app in a package.
func theApp(t *testing.T, data []byte) *apps.App {
	t.Helper()
	root := opened(t, data)
	found, err := apps.Find(t.Context(), root)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d apps, %v", len(found), err)
	}
	for n := range root.All() {
		for _, note := range n.Notes {
			t.Errorf("%s: %s", n.Path(), note)
		}
	}
	return found[0]
}

func TestAndroidPackages(t *testing.T) {
	no, yes := false, true
	want := &app.Manifest{
		Package: "test.reference.app", VersionCode: 21, VersionName: "2.1.0", MinSDK: 24, TargetSDK: 29, Debuggable: true, Cleartext: &no,
		Permissions: []app.Permission{
			{Name: "android.permission.INTERNET"}, {Name: "android.permission.BLUETOOTH", Max: 30}, {Name: "android.permission.ACCESS_FINE_LOCATION"},
		},
		Components: []app.Component{
			{Kind: app.Activity, Name: "test.reference.app.Main", Exported: &yes, Actions: []string{"android.intent.action.MAIN"}, Filtered: true},
			{Kind: app.Service, Name: "test.reference.app.Sync", Exported: &yes, Types: 1 | 8},
			{Kind: app.Receiver, Name: "test.other.Boot", Permission: "test.other.MAY", Actions: []string{"android.intent.action.BOOT_COMPLETED"}, Filtered: true},
		},
	}
	network := &app.NetworkConfig{Cleartext: &no, UserCAs: true, Domains: []app.Domain{
		{Names: []string{"192.168.4.1"}, Cleartext: &yes},
		{Names: []string{"cloud.reference.test"}, Below: true, Pins: 1, PinsUntil: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)},
	}}
	for name, data := range packages(t) {
		t.Run(name, func(t *testing.T) {
			a := theApp(t, data).Android
			got := *a.Manifest
			if !strings.HasPrefix(got.Network, "res/xml/network_security_config") {
				t.Errorf("the network security config is %q", got.Network)
			}
			got.Network = ""
			if diff := cmp.Diff(want, &got) + cmp.Diff(network, a.Network); diff != "" {
				t.Error(diff)
			}
			if a.Bundle != (name == "bundle") || len(a.Signatures.Schemes) != 0 {
				t.Errorf("bundle %t, signatures %v", a.Bundle, a.Signatures.Schemes)
			}
		})
	}
}

// badging are the lines that aapt dump badging prints, by their first word, as sorted words in quotes.
var badged = regexp.MustCompile(`(?m)^(package|sdkVersion|targetSdkVersion|uses-permission):(.*)$`)

func TestAgainstBadging(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.apk")
	data := packages(t)["aapt"]
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	m := theApp(t, data).Android.Manifest
	has := fmt.Sprintf("package name=%q versionCode=\"%d\" versionName=%q\nsdkVersion %q\ntargetSdkVersion %q\n", m.Package, m.VersionCode, m.VersionName, fmt.Sprint(m.MinSDK), fmt.Sprint(m.TargetSDK))
	for _, p := range m.Permissions {
		has += fmt.Sprintf("uses-permission name=%q", p.Name)
		if p.Max != 0 {
			has += fmt.Sprintf(" maxSdkVersion=%q", fmt.Sprint(p.Max))
		}
		has += "\n"
	}
	says := ""
	for _, line := range badged.FindAllStringSubmatch(string(tool(t, "aapt", "dump", "badging", file)), -1) {
		text := strings.ReplaceAll(line[2], "'", `"`)
		text, _, _ = strings.Cut(text, " platformBuild")
		says += line[1] + " " + strings.TrimSpace(text) + "\n"
	}
	if diff := cmp.Diff(says, has); diff != "" {
		t.Error(diff)
	}
}

// The framework of Android is an APK with the largest table of resources that there is, and a manifest that leads into it.
func TestFramework(t *testing.T) {
	data, err := os.ReadFile(framework)
	if err != nil {
		t.Fatal(err)
	}
	a := theApp(t, data).Android
	says := string(tool(t, "aapt", "dump", "xmltree", framework, "AndroidManifest.xml"))
	off := len(regexp.MustCompile(`android:enabled\(0x0101000e\)=\(type 0x12\)0x0`).FindAllString(says, -1))
	want := map[string]int{
		"uses-permission": len(a.Permissions), "activity": 0, "service": 0, "receiver": 0, "provider": 0,
	}
	for _, c := range a.Components {
		want[string(c.Kind)]++
	}
	all := 0
	for name := range want {
		n := strings.Count(says, "E: "+name+" (")
		if name == "activity" {
			n += strings.Count(says, "E: activity-alias (")
		}
		all += n
		if name == "uses-permission" && n != want[name] || n < want[name] {
			t.Errorf("%d of %s, and aapt says %d", want[name], name, n)
		}
	}
	if a.Package != "android" || a.TargetSDK != 29 || len(a.Components)+len(a.Permissions)+off < all {
		t.Errorf("%s for %d: %d components, and aapt says %d, with %d that are not enabled", a.Package, a.TargetSDK, len(a.Components), all, off)
	}
}

func TestSignatures(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	unsigned := packages(t)["aapt"]
	if err := os.WriteFile(in("unsigned.apk"), unsigned, 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, "zipalign", "-f", "4", in("unsigned.apk"), in("aligned.apk"))
	tool(t, "keytool", "-genkeypair", "-keystore", in("keys"), "-storepass", "android", "-alias", "key", "-keyalg", "EC", "-validity", "10000", "-dname", "CN=Android Debug,O=Android,C=US")
	tool(t, "keytool", "-genkeypair", "-keystore", in("keys"), "-storepass", "android", "-alias", "rsa", "-keyalg", "RSA", "-validity", "10000", "-dname", "CN=Maker")
	for name, c := range map[string]struct {
		key   string
		flags []string
		want  []int
	}{
		"v1":         {"key", []string{"--v2-signing-enabled=false", "--v3-signing-enabled=false"}, []int{1}},
		"v2":         {"rsa", []string{"--v1-signing-enabled=false", "--v3-signing-enabled=false"}, []int{2}},
		"v1, v2, v3": {"rsa", nil, []int{1, 2, 3}},
		"v3":         {"key", []string{"--v1-signing-enabled=false", "--v2-signing-enabled=false", "--min-sdk-version=28"}, []int{3}},
	} {
		t.Run(name, func(t *testing.T) {
			file := in(strings.ReplaceAll(name, ", ", "-") + ".apk")
			args := append([]string{"sign", "--ks", in("keys"), "--ks-pass", "pass:android", "--ks-key-alias", c.key, "--min-sdk-version=23", "--out", file}, c.flags...)
			tool(t, "apksigner", append(args, in("aligned.apk"))...)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := theApp(t, data).Android.Signatures
			if diff := cmp.Diff(c.want, s.Schemes); diff != "" || len(s.Signers) != 1 {
				t.Fatalf("%d signers; schemes: %s", len(s.Signers), diff)
			}
			sum := sha256.Sum256(s.Signers[0].Raw)
			says := tool(t, "apksigner", "verify", "--print-certs", "--min-sdk-version=28", file)
			if !bytes.Contains(says, []byte(hex.EncodeToString(sum[:]))) {
				t.Errorf("the certificate is %x, and apksigner says:\n%s", sum, says)
			}
		})
	}
}

const infoPlist = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>test.reference.app</string>
<key>Wide</key><string>température 温度 😀 &amp; &lt;</string>
<key>UIRequiresFullScreen</key><true/><key>Not</key><false/>
<key>Small</key><integer>7</integer><key>Large</key><integer>5000000000</integer><key>Below</key><integer>-3</integer>
<key>Real</key><real>1.5</real><key>When</key><date>2027-03-01T12:00:00Z</date><key>Bytes</key><data>AAEC/w==</data>
<key>NSBonjourServices</key><array><string>_thermostat._tcp</string><string>_a-longer-name-than-fifteen._udp</string></array>
<key>Deep</key><dict><key>A</key><dict><key>B</key><array><array/><dict/></array></dict></dict>
</dict></plist>
`

func TestPropertyLists(t *testing.T) {
	dir := t.TempDir()
	text, binary := filepath.Join(dir, "text"), filepath.Join(dir, "binary")
	if err := os.WriteFile(text, []byte(infoPlist), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, "plistutil", "-i", text, "-f", "bin", "-o", binary)
	packed, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	fromText, err := app.ParsePlist([]byte(infoPlist))
	if err != nil {
		t.Fatal(err)
	}
	fromBinary, err := app.ParsePlist(packed)
	if err != nil {
		t.Fatal(err)
	}
	want := app.Dict{
		"CFBundleIdentifier": "test.reference.app", "Wide": "température 温度 😀 & <", "UIRequiresFullScreen": true, "Not": false,
		"Small": int64(7), "Large": int64(5000000000), "Below": int64(-3), "Real": 1.5, "When": time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC),
		"Bytes": []byte{0, 1, 2, 255}, "NSBonjourServices": []any{"_thermostat._tcp", "_a-longer-name-than-fifteen._udp"},
		"Deep": app.Dict{"A": app.Dict{"B": []any{[]any{}, app.Dict{}}}},
	}
	if diff := cmp.Diff(want, fromText); diff != "" {
		t.Errorf("from XML: %s", diff)
	}
	if diff := cmp.Diff(want, fromBinary); diff != "" {
		t.Errorf("from the binary form: %s", diff)
	}
}

// openssl makes the envelope of a provisioning profile: in DER, and with the lengths that are not told before the end.
func TestProfiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	text := `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>Name</key><string>Fleet</string><key>ProvisionsAllDevices</key><true/>
<key>ExpirationDate</key><date>2027-09-01T10:00:00Z</date><key>Entitlements</key><dict><key>get-task-allow</key><false/></dict></dict></plist>`
	if err := os.WriteFile(in("profile.plist"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", in("key"), "-out", in("cert"), "-subj", "/CN=Provisioning", "-days", "10")
	for name, more := range map[string][]string{"DER": nil, "indefinite lengths": {"-stream"}} {
		tool(t, "openssl", append([]string{"cms", "-sign", "-nodetach", "-binary", "-in", in("profile.plist"), "-signer", in("cert"), "-inkey", in("key"), "-outform", "DER", "-out", in("out")}, more...)...)
		data, err := os.ReadFile(in("out"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := app.ParseProfile(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := &app.Profile{Name: "Fleet", AllDevices: true, Expires: time.Date(2027, 9, 1, 10, 0, 0, 0, time.UTC), Entitlements: app.Dict{"get-task-allow": false}}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Go builds programs for Apple's systems anywhere; its debug/macho reads them as well.
func TestPrograms(t *testing.T) {
	dir := t.TempDir()
	source, out := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte("package main\n\nimport _ \"crypto/x509\"\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, "env", "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0", "GOCACHE="+goCache(t), "go", "build", "-o", out, source)
	f, err := macho.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := app.ParseMachO(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, m.Libraries); diff != "" || m.MinOS.Major < 10 || m.Encrypted || m.Entitlements != nil {
		t.Errorf("for %s and later: %s", m.MinOS, diff)
	}
}

// goCache is where Go keeps what it has built.
func goCache(t *testing.T) string {
	return strings.TrimSpace(string(tool(t, "go", "env", "GOCACHE")))
}

// What the reference product ships is what the tools of Android and of property lists make of it.
func TestReferenceApps(t *testing.T) {
	clean := func(string) bool { return false }
	apk, err := phone.Android(clean)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.apk")
	if err := os.WriteFile(file, apk, 0o644); err != nil {
		t.Fatal(err)
	}
	says := string(tool(t, "aapt", "dump", "badging", file))
	m := theApp(t, apk).Android.Manifest
	for _, p := range m.Permissions {
		if !strings.Contains(says, "name='"+p.Name+"'") {
			t.Errorf("aapt does not know of %s", p.Name)
		}
	}
	if n := strings.Count(says, "uses-permission: "); n != len(m.Permissions) || !strings.Contains(says, "targetSdkVersion:'36'") {
		t.Errorf("aapt knows %d permissions, not %d:\n%s", n, len(m.Permissions), says)
	}
	if table := tool(t, "aapt", "dump", "--values", "resources", file); !bytes.Contains(table, []byte(`"res/xml/network_security_config.xml"`)) {
		t.Errorf("aapt reads the table so:\n%s", table)
	}
	ipa, err := phone.IOS(clean)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(ipa), int64(len(ipa)))
	if err != nil {
		t.Fatal(err)
	}
	from, err := r.Open("Payload/Thermostat.app/Info.plist")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "Info.plist")
	if err := os.WriteFile(list, packed, 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := app.ParsePlist(tool(t, "plistutil", "-i", list, "-f", "xml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, theApp(t, ipa).IOS.Info); diff != "" {
		t.Error(diff)
	}
}
