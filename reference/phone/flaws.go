package phone

import (
	"slices"
	"time"
)

// androidFlaw is a defect of the Android app.
type androidFlaw struct {
	defect string
	plant  func(*androidApp)
}

func (a *androidApp) drop(permissions ...string) {
	a.permissions = slices.DeleteFunc(a.permissions, func(p permission) bool { return slices.Contains(permissions, p.name) })
}

func (a *androidApp) forget(calls ...string) {
	a.calls = slices.DeleteFunc(a.calls, func(c call) bool { return slices.Contains(calls, c.name) })
}

var androidFlaws = []androidFlaw{
	{"android-old-target", func(a *androidApp) { a.target = 35 }},
	{"android-old-bluetooth", func(a *androidApp) {
		a.drop("BLUETOOTH", "BLUETOOTH_ADMIN", "BLUETOOTH_SCAN", "BLUETOOTH_CONNECT")
		a.permissions = append(a.permissions, permission{name: "BLUETOOTH"}, permission{name: "BLUETOOTH_ADMIN"})
	}},
	{"android-never-asks", func(a *androidApp) { a.forget("requestPermissions") }},
	{"android-no-location", func(a *androidApp) { a.drop("ACCESS_FINE_LOCATION") }},
	{"android-host-refused", func(a *androidApp) { a.network.children[1] = domain(false, "192.168.4.1") }},
	{"android-untyped-service", func(a *androidApp) { a.components[1] = component("service", "Link", false, "") }},
	{"android-type-permission", func(a *androidApp) { a.drop("FOREGROUND_SERVICE_CONNECTED_DEVICE") }},
	{"android-no-timeout", func(a *androidApp) { a.forget("onTimeout") }},
	{"android-blind-alarm", func(a *androidApp) { a.forget("canScheduleExactAlarms") }},
	{"android-silent", func(a *androidApp) { a.drop("POST_NOTIFICATIONS") }},
	{"android-no-nearby", func(a *androidApp) { a.drop("NEARBY_WIFI_DEVICES") }},
	{"android-no-local-network", func(a *androidApp) { a.drop("ACCESS_LOCAL_NETWORK") }},
	{"android-export-untold", func(a *androidApp) {
		e := component("service", "Push", false, "com.google.firebase.MESSAGING_EVENT")
		e.attrs = e.attrs[:1]
		a.components[3] = e
	}},
	{"android-jar-signature", func(a *androidApp) { a.jar = true }},
	{"android-debuggable", func(a *androidApp) { a.application = append(a.application, flag("debuggable", true)) }},
	{"android-debug-signer", func(a *androidApp) { a.signer = debugSigner }},
	{"android-cleartext", func(a *androidApp) {
		a.network.children[0].attrs = []attribute{text("cleartextTrafficPermitted", "true")}
	}},
	{"android-user-authorities", func(a *androidApp) {
		a.network.children[0].children = []element{{name: "trust-anchors", children: []element{{name: "certificates", attrs: []attribute{text("src", "user")}}}}}
	}},
	{"android-open-service", func(a *androidApp) {
		a.components = append(a.components, component("service", "Control", true, packageName+".SET"))
	}},
	{"android-lone-pin", func(a *androidApp) { a.network.children[2] = pinned("cloud.reference.test", 1) }},
}

// iosFlaw is a defect of the iOS app.
type iosFlaw struct {
	defect string
	plant  func(*iosApp)
}

var iosFlaws = []iosFlaw{
	{"ios-old-sdk", func(a *iosApp) { a.info["DTSDKName"] = "iphoneos18.5" }},
	{"ios-no-bluetooth-text", func(a *iosApp) { delete(a.info, "NSBluetoothAlwaysUsageDescription") }},
	{"ios-no-local-text", func(a *iosApp) { delete(a.info, "NSLocalNetworkUsageDescription") }},
	{"ios-unlisted-service", func(a *iosApp) {
		a.info["NSBonjourServices"] = []any{"_other._tcp"}
		delete(a.entitlements, multicast)
		a.symbols = slices.DeleteFunc(a.symbols, func(s string) bool { return s == "_nw_group_descriptor_create_multicast" })
	}},
	{"ios-no-multicast", func(a *iosApp) { delete(a.entitlements, multicast) }},
	{"ios-no-wifi-info", func(a *iosApp) { delete(a.entitlements, wifiInfo) }},
	{"ios-development", func(a *iosApp) { a.entitlements["get-task-allow"] = true }},
	{"ios-arbitrary-loads", func(a *iosApp) { a.info["NSAppTransportSecurity"] = dict{"NSAllowsArbitraryLoads": true} }},
	{"ios-profile-ends", func(a *iosApp) {
		a.profile["ProvisionsAllDevices"] = true
		a.profile["ExpirationDate"] = time.Date(2027, 9, 1, 0, 0, 0, 0, time.UTC)
	}},
}
