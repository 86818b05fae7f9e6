package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/reference/phone"
)

// inside are the files of a package of the reference product, and the package itself by the name of "".
func inside(t testing.TB, build func(func(string) bool) ([]byte, error), defects ...string) map[string][]byte {
	t.Helper()
	data, err := build(func(d string) bool {
		for _, one := range defects {
			if one == d {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"": data}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(from); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

const (
	manifest = "AndroidManifest.xml"
	network  = "res/xml/network_security_config.xml"
	table    = "resources.arsc"
	code     = "classes.dex"
	info     = "Payload/Thermostat.app/Info.plist"
	profile  = "Payload/Thermostat.app/embedded.mobileprovision"
	program  = "Payload/Thermostat.app/Thermostat"
)

func TestManifest(t *testing.T) {
	files := inside(t, phone.Android)
	root, err := app.ParseXML(files[manifest])
	if err != nil {
		t.Fatal(err)
	}
	resources, err := app.ParseTable(files[table])
	if err != nil {
		t.Fatal(err)
	}
	m := app.ReadManifest(root, resources)
	if m.Package != "test.reference.thermostat" || m.VersionCode != 21 || m.VersionName != "2.1" || m.MinSDK != 26 || m.TargetSDK != 36 || m.Network != network {
		t.Errorf("%+v", m)
	}
	if p, ok := m.Permits("BLUETOOTH_SCAN", 31); !ok || !p.NeverForLocation {
		t.Errorf("BLUETOOTH_SCAN is %+v, %t", p, ok)
	}
	if _, ok := m.Permits("BLUETOOTH", 31); ok || !m.Declares("BLUETOOTH") {
		t.Error("BLUETOOTH holds at level 31, or is not declared")
	}
	if len(m.Components) != 5 || m.Components[1].Name != "test.reference.thermostat.Link" || m.Components[1].Types != 0x10 || m.Components[1].Exposed(36) {
		t.Errorf("%+v", m.Components)
	}
	// without its resources a reference leads nowhere
	if m := app.ReadManifest(root, nil); m.Network != "" || m.TargetSDK != 36 {
		t.Errorf("without resources: %+v", m)
	}
}

func TestNetworkConfig(t *testing.T) {
	root, err := app.ParseXML(inside(t, phone.Android)[network])
	if err != nil {
		t.Fatal(err)
	}
	c := app.ReadNetworkConfig(root, nil)
	for host, want := range map[string]bool{"192.168.4.1": true, "192.168.4.10": false, "cloud.reference.test": false, "example.com": false} {
		if c.Permits(host, false) != want {
			t.Errorf("%s: %t", host, !want)
		}
	}
	if c.Permits("example.com", true) {
		t.Error("the base configuration does not count")
	}
	if len(c.Domains) != 2 || c.Domains[1].Pins != 2 || !c.Domains[1].PinsUntil.Equal(time.Date(2030, 9, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", c.Domains)
	}
}

func TestDomains(t *testing.T) {
	yes, no := true, false
	c := app.NetworkConfig{Domains: []app.Domain{
		{Names: []string{"example.com"}, Below: true, Cleartext: &yes},
		{Names: []string{"safe.example.com"}, Below: true, Cleartext: &no},
		{Names: []string{"only.test"}, Cleartext: &yes},
	}}
	for host, want := range map[string]bool{
		"example.com": true, "a.example.com": true, "A.Example.COM": true, "safe.example.com": false, "x.safe.example.com": false,
		"notexample.com": false, "only.test": true, "a.only.test": false,
	} {
		if got := c.Permits(host, false); got != want {
			t.Errorf("%s: %t", host, got)
		}
	}
}

func TestCode(t *testing.T) {
	var c app.Code
	if err := c.Add(inside(t, phone.Android)[code]); err != nil {
		t.Fatal(err)
	}
	if !c.Calls("Landroid/app/AlarmManager;", "canScheduleExactAlarms") || c.Calls("Landroid/app/AlarmManager;", "cancel") {
		t.Errorf("calls: %v", c.Methods)
	}
	sync := app.Descriptor("test.reference.thermostat.Sync")
	for _, w := range []struct {
		class, name string
		has, known  bool
	}{{sync, "onTimeout", true, true}, {app.Descriptor("test.reference.thermostat.Link"), "onTimeout", false, true}, {"Lnone;", "onTimeout", false, false}} {
		if has, known := c.Has(w.class, w.name); has != w.has || known != w.known {
			t.Errorf("%s %s: %t, %t", w.class, w.name, has, known)
		}
	}
	if diff := cmp.Diff([]string{"http://192.168.4.1/setup"}, c.Hosts); diff != "" {
		t.Error(diff)
	}
}

// A class that extends itself, by a way round or none, ends.
func TestCircleOfClasses(t *testing.T) {
	c := app.Code{Methods: map[app.Method]bool{}, Supers: map[string]string{"La;": "Lb;", "Lb;": "La;"}}
	if has, known := c.Has("La;", "x"); has || !known {
		t.Errorf("%t, %t", has, known)
	}
}

func TestSignatures(t *testing.T) {
	for name, c := range map[string]struct {
		defects []string
		scheme  int
		signer  string
	}{
		"v2": {nil, 2, "Reference thermostat"}, "debug": {[]string{"android-debug-signer"}, 2, "Android Debug"}, "v1": {[]string{"android-jar-signature"}, 1, "Reference thermostat"},
	} {
		files := inside(t, phone.Android, c.defects...)
		var s app.Signatures
		if err := s.Block(bytes.NewReader(files[""]), int64(len(files[""]))); err != nil {
			t.Error(err)
		}
		if b := files["META-INF/CERT.EC"]; b != nil {
			if err := s.JAR(b); err != nil {
				t.Error(err)
			}
		}
		if len(s.Schemes) != 1 || s.Schemes[0] != c.scheme || len(s.Signers) != 1 || s.Signers[0].Subject.CommonName != c.signer {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestApple(t *testing.T) {
	files := inside(t, phone.IOS)
	d, err := app.ParsePlist(files[info])
	if err != nil || d.Text("CFBundleIdentifier") != "test.reference.thermostat" || !d.Dict("NSAppTransportSecurity").True("NSAllowsLocalNetworking") {
		t.Errorf("%v, %v", d, err)
	}
	if diff := cmp.Diff([]string{"_thermostat._tcp"}, d.Texts("NSBonjourServices")); diff != "" {
		t.Error(diff)
	}
	p, err := app.ParseProfile(files[profile])
	if err != nil || !p.Store() || p.Expires.Format(time.DateOnly) != "2027-09-01" || p.Entitlements.True("get-task-allow") || p.Entitlements == nil {
		t.Errorf("%+v, %v", p, err)
	}
	m, err := app.ParseMachO(bytes.NewReader(files[program]), int64(len(files[program])))
	if err != nil || m.MinOS.String() != "16.0" || m.SDK.String() != "26.1" || !m.Entitlements.True("com.apple.developer.networking.multicast") {
		t.Errorf("%+v, %v", m, err)
	}
}

// Nothing of other sorts is read, and nothing of what is cut anywhere is an accident.
func TestCut(t *testing.T) {
	android, ios := inside(t, phone.Android), inside(t, phone.IOS)
	for name, c := range map[string]struct {
		data []byte
		read func([]byte)
	}{
		manifest: {android[manifest], readXML}, network: {android[network], readXML}, table: {android[table], readTable}, code: {android[code], readDEX},
		"signatures": {android[""], readBlock}, info: {ios[info], readPlist}, profile: {ios[profile], readProfile}, program: {ios[program], readMachO},
	} {
		for n := range c.data {
			c.read(c.data[:n])
		}
		if len(c.data) < 300 {
			t.Errorf("%s has %d bytes", name, len(c.data))
		}
	}
}

// The same text a million times is not a million texts.
func TestRepeatedText(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	doc := "<plist><dict><key>a</key><array>" + strings.Repeat("<array>", 200) + "</array></dict></plist>"
	if _, err := app.ParsePlist([]byte(doc)); err == nil {
		t.Error("200 arrays in each other were read")
	}
	// a binary list of 60,000 references to one string of 64 KiB
	b := append([]byte("bplist00"), 0xd1, 1, 2, 0x51, 'a', 0xaf, 0x11, 0xea, 0x60)
	for range 60_000 {
		b = append(b, 3)
	}
	at := len(b)
	b = append(append(b, 0x5f, 0x12, 0, 1, 0, 0), long...)
	offsets := len(b)
	for _, o := range []int{8, 11, 13, at} {
		b = append(b, byte(o>>16), byte(o>>8), byte(o))
	}
	b = append(b, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(offsets>>16), byte(offsets>>8), byte(offsets))
	if d, err := app.ParsePlist(b); err == nil {
		t.Errorf("%d values of 64 KiB were read of %d bytes", len(d.Texts("a")), len(b))
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		target, from app.Value
		want         int
	}{
		{app.Value{Kind: app.Number, Number: 34}, app.Value{Kind: app.Number, Number: 26}, 34},
		{app.Value{Kind: app.Text, Text: "34"}, app.Value{Kind: app.Text, Text: "26"}, 34},
		{app.Value{Kind: app.Text, Text: "Baklava"}, app.Value{Kind: app.Number, Number: 26}, app.Preview},
		{app.Value{}, app.Value{Kind: app.Number, Number: 26}, 26},
	} {
		sdk := &app.Element{Name: "uses-sdk", Attrs: []app.Attr{
			{Space: app.Android, Name: "targetSdkVersion", Value: c.target}, {Space: app.Android, Name: "minSdkVersion", Value: c.from},
		}}
		if m := app.ReadManifest(&app.Element{Name: "manifest", Children: []*app.Element{sdk}}, nil); m.TargetSDK != c.want {
			t.Errorf("%+v: %d, want %d", c, m.TargetSDK, c.want)
		}
	}
}

// protobuf is a field of a message that holds bytes.
func protobuf(id byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(binary.AppendUvarint([]byte{id<<3 | 2}, uint64(len(body))), body...)
}

// An app bundle writes the manifest and the resources as messages.
func TestBundle(t *testing.T) {
	word := func(id byte, s string) []byte { return protobuf(id, []byte(s)) }
	number := func(id, n byte) []byte { return []byte{id << 3, n} }
	attr := func(name, text string, item ...[]byte) []byte {
		return protobuf(4, word(1, app.Android), word(2, name), word(3, text), protobuf(6, item...))
	}
	sdk := protobuf(5, protobuf(1, word(3, "uses-sdk"), attr("targetSdkVersion", "36", protobuf(7, number(6, 36)))))
	reference := binary.AppendUvarint([]byte{2 << 3}, 0x7f010000)
	application := protobuf(5, protobuf(1, word(3, "application"), attr("networkSecurityConfig", "@xml/n", protobuf(1, reference)), attr("debuggable", "true", protobuf(7, number(8, 1)))))
	root, err := app.ParseProtoXML(protobuf(1, word(3, "manifest"), protobuf(4, word(2, "package"), word(3, "a.b")), sdk, application))
	if err != nil {
		t.Fatal(err)
	}
	file := protobuf(6, protobuf(2, protobuf(4, protobuf(5, word(1, "res/xml/n.xml")))))
	table := protobuf(2, protobuf(1, number(1, 0x7f)), word(2, "a.b"), protobuf(3, protobuf(1, number(1, 1)), word(2, "xml"), protobuf(3, protobuf(1), word(2, "n"), file)))
	m := app.ReadManifest(root, app.ParseProtoTable(table))
	if m.Package != "a.b" || m.TargetSDK != 36 || !m.Debuggable || m.Network != "res/xml/n.xml" {
		t.Errorf("%+v", m)
	}
}
