package phone

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/world/pki"
)

// iosApp is what the iOS app says of itself.
type iosApp struct {
	info         dict
	entitlements dict
	profile      dict
	symbols      []string // names that its code refers to
}

// dict is a dictionary of a property list. Its values are dict, []any, string, int, bool and time.Time.
type dict map[string]any

const (
	multicast = "com.apple.developer.networking.multicast"
	wifiInfo  = "com.apple.developer.networking.wifi-info"
)

// cleanIOS is the app without defects.
func cleanIOS() *iosApp {
	return &iosApp{
		info: dict{
			"CFBundleIdentifier": packageName, "CFBundleExecutable": "Thermostat", "CFBundleShortVersionString": "2.1", "CFBundleVersion": "21",
			"MinimumOSVersion": "16.0", "DTSDKName": "iphoneos26.1",
			"NSBluetoothAlwaysUsageDescription":   "Bluetooth is used to set up a new thermostat.",
			"NSLocalNetworkUsageDescription":      "The home network is searched for your thermostat.",
			"NSBonjourServices":                   []any{"_thermostat._tcp"},
			"NSLocationWhenInUseUsageDescription": "Location tells the name of your Wi-Fi network during set-up.",
			"NSAppTransportSecurity":              dict{"NSAllowsLocalNetworking": true},
		},
		entitlements: dict{"application-identifier": "REFERENCE1." + packageName, "get-task-allow": false, multicast: true, wifiInfo: true},
		profile:      dict{"Name": "Reference thermostat, store", "CreationDate": built, "ExpirationDate": built.AddDate(1, 0, 0)},
		symbols: []string{
			"_OBJC_CLASS_$_CBCentralManager", "_nw_browser_create", "_nw_group_descriptor_create_multicast", "_CNCopyCurrentNetworkInfo",
			"_OBJC_CLASS_$_NEHotspotConfigurationManager",
		},
	}
}

// IOS is the iOS app as an IPA. Has says which defects are planted in it.
func IOS(has func(defect string) bool) ([]byte, error) {
	a := cleanIOS()
	for _, f := range iosFlaws {
		if has(f.defect) {
			f.plant(a)
		}
	}
	signer, err := pki.FixedAuthority(nil, "Reference provisioning", built, validUntil)
	if err != nil {
		return nil, fmt.Errorf("sign the iOS app: %w", err)
	}
	a.profile["Entitlements"] = a.entitlements
	const folder = "Payload/Thermostat.app/"
	return packed([]file{
		{folder + "Info.plist", binaryPlist(a.info)},
		{folder + "embedded.mobileprovision", envelope([]byte(xmlPlist(a.profile)), signer.Cert.Raw)},
		{folder + "Thermostat", program(a.symbols, xmlPlist(a.entitlements))},
	})
}

// program is a Mach-O file for arm64 with a table of strings and a signature, and without code (mach-o/loader.h, kern/cs_blobs.h).
func program(symbols []string, entitlements string) []byte {
	table := []byte{' ', 0}
	for _, s := range symbols {
		table = append(append(table, s...), 0)
	}
	for len(table)%16 != 0 {
		table = append(table, 0)
	}
	blob := binary.BigEndian.AppendUint32(nil, 0xfade7171)
	blob = append(binary.BigEndian.AppendUint32(blob, uint32(8+len(entitlements))), entitlements...)
	var super []byte
	for _, n := range []uint32{0xfade0cc0, uint32(20 + len(blob)), 1, 5, 20} {
		super = binary.BigEndian.AppendUint32(super, n)
	}
	super = append(super, blob...)
	const head, commands = 32, 24 + 24 + 16
	at := uint32(head + commands)
	return slices.Concat(
		words(0xfeedfacf, 0x0100000c, 0, 2, 3, commands, 0x200085, 0),
		words(0x32, 24, 2, 16<<16, 26<<16|1<<8, 0),
		words(0x02, 24, at, 0, at, uint32(len(table))),
		words(0x1d, 16, at+uint32(len(table)), uint32(len(super))),
		table, super,
	)
}

// xmlPlist is a property list in XML.
func xmlPlist(d dict) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
` + xmlValue(d) + "</plist>\n"
}

func xmlValue(v any) string {
	switch v := v.(type) {
	case dict:
		s := "<dict>\n"
		for _, k := range slices.Sorted(maps.Keys(v)) {
			s += "<key>" + k + "</key>" + xmlValue(v[k])
		}
		return s + "</dict>\n"
	case []any:
		s := "<array>\n"
		for _, one := range v {
			s += xmlValue(one)
		}
		return s + "</array>\n"
	case bool:
		return fmt.Sprintf("<%t/>\n", v)
	case time.Time:
		return "<date>" + v.UTC().Format(time.RFC3339) + "</date>\n"
	case int:
		return fmt.Sprintf("<integer>%d</integer>\n", v)
	}
	return fmt.Sprintf("<string>%s</string>\n", v)
}

// binaryPlist is a property list in the binary form, of fewer than 256 objects.
func binaryPlist(d dict) []byte {
	var objects [][]byte
	var add func(v any) byte
	add = func(v any) byte {
		at := len(objects)
		objects = append(objects, nil)
		switch v := v.(type) {
		case dict:
			keys := slices.Sorted(maps.Keys(v))
			var refs, values []byte
			for _, k := range keys {
				refs, values = append(refs, add(k)), append(values, add(v[k]))
			}
			objects[at] = slices.Concat(marker(0xd0, len(keys)), refs, values)
		case []any:
			b := marker(0xa0, len(v))
			for _, one := range v {
				b = append(b, add(one))
			}
			objects[at] = b
		case bool:
			objects[at] = []byte{8}
			if v {
				objects[at] = []byte{9}
			}
		default:
			s := fmt.Sprint(v)
			objects[at] = append(marker(0x50, len(s)), s...)
		}
		return byte(at)
	}
	add(d)
	b := []byte("bplist00")
	var offsets []byte
	for _, o := range objects {
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(len(b)))
		b = append(b, o...)
	}
	table := len(b)
	b = append(append(b, offsets...), 0, 0, 0, 0, 0, 0, 2, 1)
	for _, n := range []int{len(objects), 0, table} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// marker is the first byte of an object, and its length behind it where that does not fit.
func marker(kind byte, n int) []byte {
	if n < 15 {
		return []byte{kind | byte(n)}
	}
	return []byte{kind | 15, 0x10, byte(n)}
}
