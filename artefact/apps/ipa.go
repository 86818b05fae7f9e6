package apps

import (
	"context"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/search"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Use is something of iOS that a program uses, as the names of classes and functions in it show.
type Use string

// What programs use.
const (
	Bluetooth   Use = "Bluetooth"
	Bonjour     Use = "Bonjour browsing"
	Multicast   Use = "multicast"
	CurrentSSID Use = "the name of the Wi-Fi network"
	JoinsWiFi   Use = "joining Wi-Fi networks"
)

// marks are the names that show a use. They stand in tables of symbols and classes, which the store leaves in the clear.
var marks = []struct {
	text string
	use  Use
}{
	{"_OBJC_CLASS_$_CBCentralManager\x00", Bluetooth},
	{"_OBJC_CLASS_$_CBPeripheralManager\x00", Bluetooth},
	{"_OBJC_CLASS_$_NSNetServiceBrowser\x00", Bonjour},
	{"_nw_browser_create\x00", Bonjour},
	{"_$s7Network9NWBrowserC", Bonjour},
	{"_DNSServiceBrowse\x00", Bonjour},
	{"_nw_group_descriptor_create_multicast\x00", Multicast},
	{"_$s7Network16NWMulticastGroupV", Multicast},
	{"\x00239.255.255.250\x00", Multicast},
	{"_CNCopyCurrentNetworkInfo\x00", CurrentSSID},
	{"_OBJC_CLASS_$_NEHotspotConfigurationManager\x00", JoinsWiFi},
}

var searcher = func() *search.Searcher {
	var list []search.Pattern
	for i, m := range marks {
		list = append(list, search.Pattern{Bytes: m.text, ID: i})
	}
	return search.New(list)
}()

const mostPrograms = 500 // of an app that are searched

// ipa reads the apps of an IPA; where the archive is none there are no such.
func (f files) ipa(ctx context.Context, n *tree.Node) (found []*App) {
	for _, c := range n.Children {
		folder, file := path.Split(c.Name)
		if file != "Info.plist" || strings.Count(folder, "/") != 2 || !strings.HasPrefix(folder, "Payload/") || !strings.HasSuffix(folder, ".app/") {
			continue
		}
		info, err := app.ParsePlist(f.read(c.Name, mostXML))
		if err != nil {
			note(c, err)
			continue
		}
		x := &IOS{Info: info, File: c, Uses: map[Use]string{}, MinOS: version(info.Text("MinimumOSVersion"))}
		x.SDK = version(strings.TrimPrefix(info.Text("DTSDKName"), "iphoneos"))
		if b := f.read(folder+"embedded.mobileprovision", mostXML); b != nil {
			p, err := app.ParseProfile(b)
			if err != nil {
				note(f[folder+"embedded.mobileprovision"], err)
			}
			x.Profile = p
		}
		x.program(f[folder+info.Text("CFBundleExecutable")])
		if x.Entitlements == nil && x.Profile != nil {
			x.Entitlements = x.Profile.Entitlements
		}
		x.search(ctx, n, folder)
		found = append(found, &App{Node: n, IOS: x})
	}
	return found
}

// program reads the main program.
func (x *IOS) program(n *tree.Node) {
	if n == nil || n.Data == nil {
		return
	}
	m, err := app.ParseMachO(n.Data, n.Data.Size())
	if err != nil {
		note(n, err)
	}
	if m == nil {
		return
	}
	x.Entitlements = m.Entitlements
	if x.MinOS == (app.Version{}) {
		x.MinOS = m.MinOS
	}
	if x.SDK == (app.Version{}) {
		x.SDK = m.SDK
	}
}

// search looks through the programs and libraries of the app for what they use.
func (x *IOS) search(ctx context.Context, n *tree.Node, folder string) {
	programs := 0
	for _, c := range n.Children {
		if !strings.HasPrefix(c.Name, folder) || c.Data == nil || programs >= mostPrograms || !program(c) {
			continue
		}
		programs++
		const window, shared = 8 << 20, 128
		buffer := make([]byte, min(window, c.Data.Size()))
		for at := int64(0); at < c.Data.Size() && ctx.Err() == nil; at += window - shared {
			got, err := c.Data.ReadAt(buffer, at)
			searcher.Each(buffer[:got], func(id, _ int) {
				if x.Uses[marks[id].use] == "" {
					x.Uses[marks[id].use] = c.Name
				}
			})
			if err != nil && err != io.EOF {
				break
			}
		}
	}
}

// program reports whether a file begins as a Mach-O file.
func program(n *tree.Node) bool {
	var b [4]byte
	if _, err := n.Data.ReadAt(b[:], 0); err != nil {
		return false
	}
	switch string(b[:]) {
	case "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xca\xfe\xba\xbe":
		return true
	}
	return false
}

// version reads a version as in 17.4.1.
func version(s string) app.Version {
	major, rest, _ := strings.Cut(s, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, _ := strconv.Atoi(major)
	b, _ := strconv.Atoi(minor)
	return app.Version{Major: max(a, 0), Minor: max(b, 0)}
}
