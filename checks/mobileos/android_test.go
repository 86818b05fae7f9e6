package mobileos

import (
	"testing"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// droid is an app that targets a level, installs from another on, and has permissions, with a last level where a number follows.
func droid(target, from int, permissions ...app.Permission) *apps.Android {
	m := &app.Manifest{Package: "a.b", TargetSDK: target, MinSDK: from, Permissions: permissions}
	return &apps.Android{Manifest: m, File: &tree.Node{Name: "AndroidManifest.xml"}}
}

func has(name string, last int) app.Permission {
	return app.Permission{Name: "android.permission." + name, Max: last}
}

func (c calling) with(a *apps.Android) *apps.Android {
	a.Code = &app.Code{Methods: map[app.Method]bool{}, Supers: map[string]string{}}
	for _, m := range c {
		a.Code.Methods[m] = true
		a.Code.Supers[m.Class] = "Landroid/app/Service;"
	}
	return a
}

type calling []app.Method

var (
	scanning   = app.Method{Class: "Landroid/bluetooth/le/BluetoothLeScanner;", Name: "startScan"}
	connecting = app.Method{Class: "Landroid/bluetooth/BluetoothDevice;", Name: "connectGatt"}
	asking     = app.Method{Class: "Landroid/app/Activity;", Name: "requestPermissions"}
)

// found holds findings against the severities that are wanted; "" is that of the check.
func found(t *testing.T, name string, got []check.Finding, want ...check.Severity) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d findings, want %d: %+v", name, len(got), len(want), got)
		return
	}
	for i, f := range got {
		if f.Severity != want[i] || f.Title == "" || f.Seen == "" {
			t.Errorf("%s: %+v, want severity %q", name, f, want[i])
		}
	}
}

func TestJudgeBluetoothPermissions(t *testing.T) {
	both := []app.Permission{has("BLUETOOTH", 30), has("BLUETOOTH_SCAN", 0), has("BLUETOOTH_CONNECT", 0)}
	for name, c := range map[string]struct {
		a    *apps.Android
		want []check.Severity
	}{
		"all there":                 {calling{scanning, connecting, asking}.with(droid(34, 26, both...)), nil},
		"no code":                   {droid(34, 26, both...), nil},
		"old alone, no code":        {droid(34, 26, has("BLUETOOTH", 30)), []check.Severity{""}},
		"old alone":                 {calling{scanning, connecting, asking}.with(droid(34, 26, has("BLUETOOTH", 30))), []check.Severity{"", ""}},
		"old alone, nothing called": {calling{asking}.with(droid(34, 26, has("BLUETOOTH", 30))), nil},
		"never asks":                {calling{scanning}.with(droid(34, 26, both...)), []check.Severity{""}},
		"old for all":               {calling{asking}.with(droid(34, 26, has("BLUETOOTH", 0))), []check.Severity{check.Minor}},
		"scan capped":               {calling{scanning, asking}.with(droid(34, 26, has("BLUETOOTH_SCAN", 30))), []check.Severity{""}},
	} {
		found(t, name, judgeBluetoothPermissions(c.a), c.want...)
	}
}

func TestJudgeScanLocation(t *testing.T) {
	never := app.Permission{Name: "android.permission.BLUETOOTH_SCAN", NeverForLocation: true}
	for name, c := range map[string]struct {
		a    *apps.Android
		want int
	}{
		"fine up to 30":           {droid(34, 26, has("ACCESS_FINE_LOCATION", 30), never), 0},
		"fine up to 29":           {droid(34, 26, has("ACCESS_FINE_LOCATION", 29), never), 1},
		"none":                    {droid(34, 26, never), 1},
		"none, new phones only":   {droid(34, 31, never), 0},
		"coarse":                  {droid(34, 26, has("ACCESS_COARSE_LOCATION", 0), never), 1},
		"coarse, old target":      {droid(28, 21, has("ACCESS_COARSE_LOCATION", 0)), 0},
		"may be used to locate":   {droid(34, 26, has("ACCESS_FINE_LOCATION", 30), has("BLUETOOTH_SCAN", 0)), 1},
		"is used to locate":       {droid(34, 26, has("ACCESS_FINE_LOCATION", 0), has("BLUETOOTH_SCAN", 0)), 0},
		"no new permission, fine": {droid(30, 26, has("ACCESS_FINE_LOCATION", 0)), 0},
	} {
		got := judgeScanLocation(c.a)
		if len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestJudgeCleartext(t *testing.T) {
	hosts := localHosts([]string{
		"http://192.168.4.1/setup", "http://192.168.4.1:80/", "ws://thermostat.local/x", "http://example.com/", "https://10.0.0.1/", "http://schemas.android.com/apk", "http://8.8.8.8/",
		"http://%zz", "tcp://192.168.1.2:1883", "http://127.0.0.1:8080/",
	})
	if len(hosts) != 2 || hosts[0] != "192.168.4.1" || hosts[1] != "thermostat.local" {
		t.Fatalf("hosts: %q", hosts)
	}
	yes, no := true, false
	config := func(c *app.NetworkConfig) *apps.Android {
		a := droid(34, 26)
		a.Network, a.Manifest.Network = c, "res/xml/n.xml"
		return a
	}
	open := droid(34, 26)
	open.Cleartext = &yes
	unread := droid(34, 26)
	unread.Manifest.Network = "res/xml/n.xml"
	for name, c := range map[string]struct {
		a    *apps.Android
		want int
	}{
		"nothing said": {droid(34, 26), 2}, "all permitted": {open, 0}, "a config that cannot be read": {unread, 0}, "an empty config": {config(&app.NetworkConfig{}), 2},
		"one listed":           {config(&app.NetworkConfig{Cleartext: &no, Domains: []app.Domain{{Names: []string{"192.168.4.1"}, Cleartext: &yes}}}), 1},
		"permitted by default": {config(&app.NetworkConfig{Cleartext: &yes}), 0},
	} {
		if got := judgeCleartext(c.a, hosts); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestJudgeServiceTypes(t *testing.T) {
	service := func(types uint32, permissions ...app.Permission) *apps.Android {
		a := droid(34, 26, permissions...)
		a.Components = []app.Component{{Kind: app.Service, Name: "a.b.Link", Types: types}, {Kind: app.Service, Name: "a.b.Quiet"}, {Kind: app.Service, Name: unused[0]}}
		return calling{{Class: "La/b/Link;", Name: "startForeground"}, {Class: app.Descriptor(unused[0]), Name: "startForeground"}}.with(a)
	}
	basic := has("FOREGROUND_SERVICE", 0)
	for name, c := range map[string]struct {
		a    *apps.Android
		want int
	}{
		"typed":                {service(0x10, basic, has("FOREGROUND_SERVICE_CONNECTED_DEVICE", 0)), 0},
		"untyped":              {service(0, basic), 1},
		"no permission":        {service(0x10, basic), 1},
		"no permission at all": {service(0x10 | 0x8), 3},
		"short":                {service(0x800, basic), 0},
		"capped":               {service(0x10, basic, has("FOREGROUND_SERVICE_CONNECTED_DEVICE", 33)), 1},
	} {
		if got := judgeServiceTypes(c.a); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := foreground(service(0)); len(got) != 1 {
		t.Errorf("foreground services: %+v", got)
	}
}

func TestJudgeDatasync(t *testing.T) {
	service := func(types uint32, methods ...app.Method) *apps.Android {
		a := droid(35, 26)
		a.Components = []app.Component{{Kind: app.Service, Name: "a.b.Sync", Types: types}}
		return calling(methods).with(a)
	}
	sync := func(name string) app.Method { return app.Method{Class: "La/b/Sync;", Name: name} }
	for name, c := range map[string]struct {
		a       *apps.Android
		applies bool
		want    int
	}{
		"handled":     {service(1, sync("onTimeout")), true, 0},
		"not handled": {service(1, sync("startForeground")), true, 1},
		"another":     {service(0x10, sync("startForeground")), false, 0},
		"unknown":     {service(1), false, 0},
	} {
		applies, got := judgeDatasync(c.a)
		if applies != c.applies || len(got) != c.want {
			t.Errorf("%s: %t, %+v", name, applies, got)
		}
	}
}

func TestJudgeTheRestOfAndroid(t *testing.T) {
	alarm := func(name string) app.Method { return app.Method{Class: alarms, Name: name} }
	push := func(a *apps.Android, exported *bool) *apps.Android {
		a.Components = []app.Component{{Kind: app.Service, Name: "a.b.Push", Actions: []string{"com.google.firebase.MESSAGING_EVENT"}, Filtered: true, Exported: exported}}
		return a
	}
	signed := func(a *apps.Android, schemes ...int) *apps.Android {
		a.Signatures.Schemes = schemes
		return a
	}
	no := false
	hotspot := calling{{Class: "Landroid/net/wifi/WifiManager;", Name: "startLocalOnlyHotspot"}}
	if nearby(hotspot.with(droid(34, 26)).Code) == "" || nearby(nil) != "" || nearby(calling{asking}.with(droid(34, 26)).Code) != "" {
		t.Error("what needs the permission for nearby Wi-Fi devices is not told from what does not")
	}
	found(t, "alarm, blind", judgeExactAlarm(calling{alarm("setExact")}.with(droid(34, 26))), "")
	found(t, "alarm, looks", judgeExactAlarm(calling{alarm("setExact"), alarm("canScheduleExactAlarms")}.with(droid(34, 26))))
	found(t, "alarm clock", judgeExactAlarm(calling{alarm("setExact")}.with(droid(34, 26, has("USE_EXACT_ALARM", 0)))))
	found(t, "notifications", judgeNotifications(calling{asking}.with(droid(34, 26, has("POST_NOTIFICATIONS", 0)))))
	found(t, "notifications, not declared", judgeNotifications(calling{asking}.with(droid(34, 26))), "")
	found(t, "notifications, not asked", judgeNotifications(calling{scanning}.with(droid(34, 26, has("POST_NOTIFICATIONS", 0)))), "")
	found(t, "notifications, no code", judgeNotifications(droid(34, 26, has("POST_NOTIFICATIONS", 0))))
	found(t, "nearby", judgeNearbyWifi(hotspot.with(droid(34, 26, has("NEARBY_WIFI_DEVICES", 0)))))
	found(t, "nearby, not declared", judgeNearbyWifi(hotspot.with(droid(34, 26))), "")
	found(t, "local network, now", judgeLocalNetwork(droid(37, 26)), "")
	found(t, "local network, later", judgeLocalNetwork(droid(36, 26)), check.Minor)
	found(t, "local network, ready", judgeLocalNetwork(droid(36, 26, has("ACCESS_LOCAL_NETWORK", 0))))
	found(t, "exported, untold", judgeExported(push(droid(34, 26), nil)), "")
	found(t, "exported, told", judgeExported(push(droid(34, 26), &no)))
	found(t, "v2", judgeSignatureSchemes(signed(droid(34, 26), 2)))
	found(t, "v1", judgeSignatureSchemes(signed(droid(34, 26), 1)), "")
	found(t, "v1, old target", judgeSignatureSchemes(signed(droid(29, 21), 1)))
	found(t, "v2, old phones", judgeSignatureSchemes(signed(droid(34, 21), 2)), "")
	found(t, "v1 and v3, old phones", judgeSignatureSchemes(signed(droid(34, 21), 1, 3)))
	if !notifies(push(droid(34, 26), nil)) || notifies(droid(34, 26)) {
		t.Error("who takes push messages is not told from who does not")
	}
}
