// Package phone builds the apps of the reference product as their makers ship them: an APK and an IPA. Their code does nothing: it shows
// what the apps would use.
package phone

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/world/pki"
)

// built is when the packages were made, and validUntil when the certificates of those who signed them end.
var (
	built      = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	validUntil = time.Date(2056, 9, 1, 0, 0, 0, 0, time.UTC)
)

// androidApp is what the Android app says of itself.
type androidApp struct {
	target, min int
	permissions []permission
	application []attribute
	components  []element
	network     element // network security config
	code
	signer string // common name of the certificate
	jar    bool   // it is signed by the JAR scheme, not by scheme 2
}

// permission is one that is used: its last API level, or 0, and whether it promises not to be used for location.
type permission struct {
	name  string
	max   int
	never bool
}

const packageName = "test.reference.thermostat"

func class(name string) string { return "Ltest/reference/thermostat/" + name + ";" }

// component is an activity, a service or a receiver of the app.
func component(kind, name string, exported bool, action string, more ...attribute) element {
	e := element{name: kind, attrs: append([]attribute{text("name", "."+name), flag("exported", exported)}, more...)}
	if action != "" {
		e.children = []element{{name: "intent-filter", children: []element{{name: "action", attrs: []attribute{text("name", action)}}}}}
	}
	return e
}

// types are foregroundServiceType.
func types(bits uint32) attribute { return attribute{"foregroundServiceType", kindHex, bits, ""} }

// cleanAndroid is the app without defects.
func cleanAndroid() *androidApp {
	return &androidApp{
		target: 36, min: 26,
		permissions: []permission{
			{name: "INTERNET"},
			{name: "BLUETOOTH", max: 30},
			{name: "BLUETOOTH_ADMIN", max: 30},
			{name: "BLUETOOTH_SCAN", never: true},
			{name: "BLUETOOTH_CONNECT"},
			{name: "ACCESS_FINE_LOCATION", max: 30},
			{name: "CHANGE_WIFI_STATE"},
			{name: "NEARBY_WIFI_DEVICES", never: true},
			{name: "ACCESS_LOCAL_NETWORK"},
			{name: "POST_NOTIFICATIONS"},
			{name: "SCHEDULE_EXACT_ALARM"},
			{name: "FOREGROUND_SERVICE"},
			{name: "FOREGROUND_SERVICE_CONNECTED_DEVICE"},
			{name: "FOREGROUND_SERVICE_DATA_SYNC"},
		},
		application: []attribute{{"networkSecurityConfig", kindReference, networkConfig, ""}},
		components: []element{
			component("activity", "Main", true, "android.intent.action.MAIN"),
			component("service", "Link", false, "", types(0x10)),
			component("service", "Sync", false, "", types(0x1)),
			component("service", "Push", false, "com.google.firebase.MESSAGING_EVENT"),
			component("receiver", "Start", true, "android.intent.action.BOOT_COMPLETED"),
		},
		network: element{name: "network-security-config", children: []element{
			{name: "base-config", attrs: []attribute{text("cleartextTrafficPermitted", "false")}},
			domain(true, "192.168.4.1"),
			pinned("cloud.reference.test", 2),
		}},
		code: code{
			calls: []call{
				{"Landroid/bluetooth/le/BluetoothLeScanner;", "startScan"},
				{"Landroid/bluetooth/BluetoothDevice;", "connectGatt"},
				{"Landroid/app/Activity;", "requestPermissions"},
				{"Landroid/app/AlarmManager;", "setExactAndAllowWhileIdle"},
				{"Landroid/app/AlarmManager;", "canScheduleExactAlarms"},
				{"Landroid/net/nsd/NsdManager;", "discoverServices"},
				{"Landroid/net/wifi/WifiManager;", "startLocalOnlyHotspot"},
				{class("Link"), "startForeground"},
				{class("Sync"), "startForeground"},
				{class("Sync"), "onTimeout"},
			},
			classes: map[string]string{
				class("Main"): "Landroid/app/Activity;", class("Link"): "Landroid/app/Service;", class("Sync"): "Landroid/app/Service;",
			},
			strings: []string{"http://192.168.4.1/setup", "https://cloud.reference.test/v1"},
		},
		signer: "Reference thermostat",
	}
}

// domain is what the network security config says of a host.
func domain(cleartext bool, host string) element {
	word := "false"
	if cleartext {
		word = "true"
	}
	return element{
		name: "domain-config", attrs: []attribute{text("cleartextTrafficPermitted", word)},
		children: []element{{name: "domain", attrs: []attribute{text("includeSubdomains", "false")}, text: host}},
	}
}

// pinned is a host with n pins.
func pinned(host string, n int) element {
	e := domain(false, host)
	set := element{name: "pin-set", attrs: []attribute{text("expiration", "2030-09-01")}}
	for i := range n {
		set.children = append(set.children, element{name: "pin", attrs: []attribute{text("digest", "SHA-256")}, text: fmt.Sprintf("%043d=", i)})
	}
	e.children = append(e.children, set)
	return e
}

// Android is the Android app as an APK. Has says which defects are planted in it.
func Android(has func(defect string) bool) ([]byte, error) {
	a := cleanAndroid()
	for _, f := range androidFlaws {
		if has(f.defect) {
			f.plant(a)
		}
	}
	return a.apk()
}

// manifest is the AndroidManifest.xml.
func (a *androidApp) manifest() element {
	m := element{
		name:     "manifest",
		attrs:    []attribute{decimal("versionCode", 21), text("versionName", "2.1"), text("package", packageName)},
		children: []element{{name: "uses-sdk", attrs: []attribute{decimal("minSdkVersion", a.min), decimal("targetSdkVersion", a.target)}}},
	}
	for _, p := range a.permissions {
		e := element{name: "uses-permission", attrs: []attribute{text("name", "android.permission."+p.name)}}
		if p.max > 0 {
			e.attrs = append(e.attrs, decimal("maxSdkVersion", p.max))
		}
		if p.never {
			e.attrs = append(e.attrs, attribute{"usesPermissionFlags", kindHex, 0x10000, ""})
		}
		m.children = append(m.children, e)
	}
	m.children = append(m.children, element{name: "application", attrs: a.application, children: a.components})
	return m
}

const networkFile = "res/xml/network_security_config.xml"

func (a *androidApp) apk() ([]byte, error) {
	signer, err := pki.FixedAuthority(nil, a.signer, built, validUntil)
	if err == nil && a.signer == debugSigner {
		signer, err = debugAuthority()
	}
	if err != nil {
		return nil, fmt.Errorf("sign the Android app: %w", err)
	}
	files := []file{
		{"AndroidManifest.xml", binaryXML(a.manifest())},
		{networkFile, binaryXML(a.network)},
		{"resources.arsc", resourceTable(networkFile)},
		{"classes.dex", a.dex()},
	}
	if a.jar {
		files = append(files, file{"META-INF/CERT.EC", envelope(nil, signer.Cert.Raw)})
		return packed(files)
	}
	b, err := packed(files)
	if err != nil {
		return nil, err
	}
	return withBlock(b, signingBlock(signer.Cert.Raw)), nil
}

// file is one of a package.
type file struct {
	name string
	data []byte
}

// packed is a ZIP archive.
func packed(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: built})
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := to.Write(f.data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack an app: %w", err)
	}
	return b.Bytes(), nil
}

// prefixed puts the length of 32 bits before bytes.
func prefixed(parts ...[]byte) []byte {
	b := slices.Concat(parts...)
	return append(words(uint32(len(b))), b...)
}

// signingBlock is an APK Signing Block with a signature of scheme 2. It names the signer, and signs nothing: no phone would install this.
func signingBlock(certificate []byte) []byte {
	digests := prefixed(prefixed(words(0x0201), prefixed(make([]byte, 32))))
	signed := prefixed(digests, prefixed(prefixed(certificate)), prefixed())
	signer := prefixed(signed, prefixed(), prefixed())
	value := prefixed(signer)
	pair := binary.LittleEndian.AppendUint64(nil, uint64(4+len(value)))
	pair = slices.Concat(pair, words(0x7109871a), value)
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(pair)+24))
	return slices.Concat(size, pair, size, []byte("APK Sig Block 42"))
}

// withBlock puts a signing block before the directory of an archive.
func withBlock(apk, block []byte) []byte {
	const end = 22
	from := binary.LittleEndian.Uint32(apk[len(apk)-end+16:])
	b := slices.Concat(apk[:from], block, apk[from:])
	binary.LittleEndian.PutUint32(b[len(b)-end+16:], from+uint32(len(block)))
	return b
}
