package apps

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/shakedown-test/shakedown/firmware"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/reference/phone"
)

func in(t *testing.T, data []byte) *tree.Node {
	t.Helper()
	o, err := firmware.Open(context.Background(), "it", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}

func built(t *testing.T, build func(func(string) bool) ([]byte, error)) []byte {
	t.Helper()
	data, err := build(func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, data := range files {
		to, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFind(t *testing.T) {
	apk, ipa := built(t, phone.Android), built(t, phone.IOS)
	found, err := Find(t.Context(), in(t, archive(t, map[string][]byte{"base.apk": apk, "readme.txt": []byte("two apps"), "app.ipa": ipa})))
	if err != nil || len(found) != 2 {
		t.Fatalf("%d apps, %v", len(found), err)
	}
	for _, a := range found {
		switch {
		case a.Android != nil:
			if a.Android.Network == nil || a.Android.Code == nil || len(a.Android.Signatures.Signers) != 1 || a.String() != "test.reference.thermostat 2.1 for Android" {
				t.Errorf("%s: %+v", a, a.Android)
			}
		default:
			if a.IOS.Profile == nil || a.IOS.Entitlements == nil || a.String() != "test.reference.thermostat 2.1 for iOS" {
				t.Errorf("%s: %+v", a, a.IOS)
			}
			for _, u := range []Use{Bluetooth, Bonjour, Multicast, CurrentSSID, JoinsWiFi} {
				if a.IOS.Uses[u] != "Payload/Thermostat.app/Thermostat" {
					t.Errorf("%s is shown by %q", u, a.IOS.Uses[u])
				}
			}
		}
	}
}

// Archives that look like apps and are none, and those whose parts are broken, give no app and no accident.
func TestNoApps(t *testing.T) {
	apk := built(t, phone.Android)
	for name, files := range map[string]map[string][]byte{
		"text":            {"AndroidManifest.xml": []byte("<manifest/>")},
		"empty":           {"AndroidManifest.xml": nil},
		"bundle":          {"base/manifest/AndroidManifest.xml": []byte("\x0a\x02\x1a\x00")},
		"list":            {"Payload/A.app/Info.plist": []byte("bplist00")},
		"another package": {"Payload/Info.plist": []byte("<plist><dict/></plist>"), "x.apk": apk[:len(apk)/2]},
	} {
		if found, err := Find(t.Context(), in(t, archive(t, files))); err != nil || len(found) != 0 {
			t.Errorf("%s: %d apps, %v", name, len(found), err)
		}
	}
	// an app of which only the list can be read
	found, err := Find(t.Context(), in(t, archive(t, map[string][]byte{
		"Payload/A.app/Info.plist":                 []byte("<plist><dict><key>CFBundleExecutable</key><string>A</string></dict></plist>"),
		"Payload/A.app/A":                          []byte("\xcf\xfa\xed\xfe"),
		"Payload/A.app/embedded.mobileprovision":   []byte("no"),
		"Payload/A.app/Frameworks/B.framework/B":   bytes.Repeat([]byte{0xca, 0xfe, 0xba, 0xbe}, 100),
		"Payload/A.app/PlugIns/C.appex/Info.plist": []byte("<plist><dict/></plist>"),
	})))
	if err != nil || len(found) != 1 || found[0].IOS.Profile != nil || found[0].IOS.Entitlements != nil {
		t.Errorf("%d apps, %v", len(found), err)
	}
}

func TestVersion(t *testing.T) {
	for s, want := range map[string]string{"17.4.1": "17.4", "16": "16.0", "": "0.0", "x.y": "0.0", "-1.5": "0.5", "26.1": "26.1"} {
		if got := version(s).String(); got != want {
			t.Errorf("%q: %s", s, got)
		}
	}
}
