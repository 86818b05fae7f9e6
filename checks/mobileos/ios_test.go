package mobileos

import (
	"testing"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// iphone is an app with keys of its Info.plist and entitlements.
func iphone(info, entitlements app.Dict, uses ...apps.Use) *apps.IOS {
	a := &apps.IOS{Info: info, Entitlements: entitlements, File: &tree.Node{Name: "Info.plist"}, Uses: map[apps.Use]string{}, MinOS: app.Version{Major: 15}}
	for _, u := range uses {
		a.Uses[u] = "App"
	}
	return a
}

func TestJudgeBluetoothUsage(t *testing.T) {
	always, peripheral := "NSBluetoothAlwaysUsageDescription", "NSBluetoothPeripheralUsageDescription"
	old := iphone(app.Dict{always: "why"}, nil, apps.Bluetooth)
	old.MinOS = app.Version{Major: 12}
	both := iphone(app.Dict{always: "why", peripheral: "why"}, nil, apps.Bluetooth)
	both.MinOS = app.Version{Major: 12}
	unknown := iphone(app.Dict{always: "why"}, nil, apps.Bluetooth)
	unknown.MinOS = app.Version{}
	found(t, "there", judgeBluetoothUsage(iphone(app.Dict{always: "why"}, nil, apps.Bluetooth)))
	found(t, "empty", judgeBluetoothUsage(iphone(app.Dict{always: " "}, nil, apps.Bluetooth)), "")
	found(t, "not there", judgeBluetoothUsage(iphone(app.Dict{}, nil, apps.Bluetooth)), "")
	found(t, "old phones", judgeBluetoothUsage(old), "")
	found(t, "old phones, both", judgeBluetoothUsage(both))
	found(t, "phones not known", judgeBluetoothUsage(unknown))
}

func TestJudgeLocalUsage(t *testing.T) {
	why, list := "NSLocalNetworkUsageDescription", "NSBonjourServices"
	listed := []any{"_hap._tcp", "_Thermostat._tcp."}
	entitled := app.Dict{multicastEntitlement: true}
	of := []string{"_thermostat._tcp"}
	found(t, "there", judgeLocalUsage(iphone(app.Dict{why: "why", list: listed}, nil, apps.Bonjour), of))
	found(t, "no reason", judgeLocalUsage(iphone(app.Dict{list: listed}, nil, apps.Bonjour), of), check.Major)
	found(t, "no list", judgeLocalUsage(iphone(app.Dict{why: "why"}, nil, apps.Bonjour), of), "")
	found(t, "another", judgeLocalUsage(iphone(app.Dict{why: "why", list: []any{"_hap._tcp"}}, nil, apps.Bonjour), of), "")
	found(t, "another, and none known", judgeLocalUsage(iphone(app.Dict{why: "why", list: []any{"_hap._tcp"}}, nil, apps.Bonjour), nil))
	found(t, "entitled to all", judgeLocalUsage(iphone(app.Dict{why: "why"}, entitled, apps.Bonjour), of))
}

func TestJudgeEntitlements(t *testing.T) {
	const wifi = "com.apple.developer.networking.wifi-info"
	located := app.Dict{"NSLocationWhenInUseUsageDescription": "why"}
	found(t, "multicast", judgeMulticast(iphone(nil, app.Dict{multicastEntitlement: true}, apps.Multicast)))
	found(t, "multicast, not entitled", judgeMulticast(iphone(nil, app.Dict{}, apps.Multicast)), "")
	found(t, "multicast, and Bonjour", judgeMulticast(iphone(nil, app.Dict{}, apps.Multicast, apps.Bonjour)), check.Minor)
	found(t, "name, not entitled", judgeSSID(iphone(located, app.Dict{}), false, true), "")
	found(t, "name, located", judgeSSID(iphone(located, app.Dict{wifi: true}), true, false))
	found(t, "name, joins", judgeSSID(iphone(nil, app.Dict{wifi: true}), true, true))
	found(t, "name, neither", judgeSSID(iphone(nil, app.Dict{wifi: true}), true, false), "")
}
