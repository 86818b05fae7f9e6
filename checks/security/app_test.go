package security

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// droid is an Android app with its manifest at hand.
func droid(edit func(*apps.Android)) *apps.App {
	a := &apps.Android{Manifest: &app.Manifest{Package: "a.b", TargetSDK: 34}, File: &tree.Node{Name: "AndroidManifest.xml"}}
	edit(a)
	return &apps.App{Node: &tree.Node{Name: "a.apk"}, Android: a}
}

func iphone(info, entitlements app.Dict) *apps.App {
	return &apps.App{Node: &tree.Node{Name: "a.ipa"}, IOS: &apps.IOS{Info: info, Entitlements: entitlements, File: &tree.Node{Name: "Info.plist"}}}
}

func TestJudgeDebuggable(t *testing.T) {
	for name, c := range map[string]struct {
		a    *apps.App
		want int
	}{
		"release":           {droid(func(*apps.Android) {}), 0},
		"debuggable":        {droid(func(a *apps.Android) { a.Debuggable = true }), 1},
		"test only":         {droid(func(a *apps.Android) { a.TestOnly = true }), 1},
		"iOS, release":      {iphone(app.Dict{}, app.Dict{"get-task-allow": false}), 0},
		"iOS, development":  {iphone(app.Dict{}, app.Dict{"get-task-allow": true}), 1},
		"iOS, not known at": {iphone(app.Dict{}, nil), 0},
	} {
		if got := judgeDebuggable(c.a); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestJudgeTestSignature(t *testing.T) {
	named := func(cn, o string) []*x509.Certificate {
		return []*x509.Certificate{{Subject: pkix.Name{CommonName: cn, Organization: []string{o}}}}
	}
	for name, c := range map[string]struct {
		signers []*x509.Certificate
		want    int
	}{
		"own": {named("Maker", "Maker"), 0}, "debug": {named("Android Debug", "Android"), 1}, "called so": {named("Android Debug", "Maker"), 0}, "none": {nil, 0},
	} {
		if got := judgeTestSignature("a.b", c.signers); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestJudgeAppCleartext(t *testing.T) {
	yes, no := true, false
	ats := func(d app.Dict) *apps.App { return iphone(app.Dict{"NSAppTransportSecurity": d}, nil) }
	for name, c := range map[string]struct {
		a    *apps.App
		want int
	}{
		"nothing said":         {droid(func(*apps.Android) {}), 0},
		"all":                  {droid(func(a *apps.Android) { a.Cleartext = &yes }), 1},
		"none":                 {droid(func(a *apps.Android) { a.Cleartext = &no }), 0},
		"all, and a config":    {droid(func(a *apps.Android) { a.Cleartext, a.Network = &yes, &app.NetworkConfig{} }), 0},
		"all by the config":    {droid(func(a *apps.Android) { a.Network = &app.NetworkConfig{Cleartext: &yes} }), 1},
		"a host by the config": {droid(func(a *apps.Android) { a.Network = &app.NetworkConfig{Domains: []app.Domain{{Cleartext: &yes}}} }), 0},
		"a config not read":    {droid(func(a *apps.Android) { a.Cleartext, a.Manifest.Network = &yes, "res/x.xml" }), 0},
		"iOS":                  {iphone(app.Dict{}, nil), 0},
		"iOS, all":             {ats(app.Dict{"NSAllowsArbitraryLoads": true}), 1},
		"iOS, local":           {ats(app.Dict{"NSAllowsArbitraryLoads": true, "NSAllowsLocalNetworking": true}), 0},
	} {
		if got := judgeAppCleartext(c.a); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestJudgeAppExported(t *testing.T) {
	yes, no := true, false
	for name, c := range map[string]struct {
		c    app.Component
		want int
	}{
		"activity":         {app.Component{Kind: app.Activity, Name: "a.b.Main", Exported: &yes}, 0},
		"service":          {app.Component{Kind: app.Service, Name: "a.b.Set", Exported: &yes}, 1},
		"not exported":     {app.Component{Kind: app.Service, Name: "a.b.Set", Exported: &no, Filtered: true}, 0},
		"by its filter":    {app.Component{Kind: app.Service, Name: "a.b.Set", Filtered: true, Actions: []string{"a.b.SET"}}, 1},
		"with permission":  {app.Component{Kind: app.Service, Name: "a.b.Set", Exported: &yes, Permission: "a.b.MAY"}, 0},
		"after the start":  {app.Component{Kind: app.Receiver, Name: "a.b.Boot", Exported: &yes, Actions: []string{"android.intent.action.BOOT_COMPLETED"}}, 0},
		"start and others": {app.Component{Kind: app.Receiver, Name: "a.b.Boot", Exported: &yes, Actions: []string{"android.intent.action.BOOT_COMPLETED", "a.b.SET"}}, 1},
		"a library's":      {app.Component{Kind: app.Receiver, Name: "androidx.x.Y", Exported: &yes}, 0},
		"provider":         {app.Component{Kind: app.Provider, Name: "a.b.Files"}, 0},
	} {
		got := judgeAppExported(droid(func(a *apps.Android) { a.Components = []app.Component{c.c} }).Android)
		if len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := judgeUserAuthorities(droid(func(a *apps.Android) { a.Network = &app.NetworkConfig{UserCAs: true} }).Android); len(got) != 1 {
		t.Errorf("authorities of the user: %+v", got)
	}
}
