// Package apps finds the apps in an artefact and puts together what is known of each: its manifest with what that refers to, what its
// code uses, who signed it.
package apps

import (
	"bytes"
	"context"
	"path"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// App is one for a phone. Either Android or IOS is set.
type App struct {
	Node    *tree.Node // the archive
	Android *Android
	IOS     *IOS
}

// Android is an APK, or the base module of an app bundle.
type Android struct {
	*app.Manifest
	File       *tree.Node // the manifest
	Bundle     bool       // it is an app bundle, which the store signs
	Network    *app.NetworkConfig
	Signatures app.Signatures
	Code       *app.Code // nil: there is none that can be read
}

// IOS is an app of an IPA.
type IOS struct {
	Info         app.Dict // Info.plist
	File         *tree.Node
	MinOS, SDK   app.Version
	Entitlements app.Dict // nil: the program is not signed, and there is no profile
	Profile      *app.Profile
	Uses         map[Use]string // and the file that shows it
}

// mostApps bounds the apps of an artefact.
const mostApps = 20

// Find looks for apps. What cannot be read is noted at its node.
func Find(ctx context.Context, root *tree.Node) (found []*App, err error) {
	for n := range root.All() {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		if n.Format != "zip" || len(found) >= mostApps {
			continue
		}
		f := files{}
		for _, c := range n.Children {
			if _, twice := f[c.Name]; !twice {
				f[c.Name] = c
			}
		}
		switch {
		case f["AndroidManifest.xml"] != nil:
			found = append(found, f.apk(n))
		case f["base/manifest/AndroidManifest.xml"] != nil:
			found = append(found, f.bundle(n))
		default:
			found = append(found, f.ipa(ctx, n)...)
		}
		found = slices.DeleteFunc(found, func(a *App) bool { return a == nil })
		for _, a := range found {
			if a.Node == n {
				n.About = a.String()
			}
		}
	}
	return found, nil
}

// files are those of an archive, by path. Of several of one name the first counts.
type files map[string]*tree.Node

// read gives a file; limit is in bytes. One that is not there is empty.
func (f files) read(name string, limit int64) []byte {
	n := f[name]
	if n == nil || n.Size() > limit {
		return nil
	}
	b, err := n.Read(limit)
	if err != nil {
		return nil
	}
	return b
}

const (
	mostXML  = 8 << 20
	mostRes  = 64 << 20
	mostCode = 64 << 20
	mostDEX  = 100 // files
)

// apk reads an APK. A part of an app that is split tells nothing.
func (f files) apk(n *tree.Node) *App {
	const manifest = "AndroidManifest.xml"
	root, err := app.ParseXML(f.read(manifest, mostXML))
	if err != nil {
		note(f[manifest], err)
	}
	if root == nil || root.Name != "manifest" {
		return nil
	}
	var resources app.Resources
	if b := f.read("resources.arsc", mostRes); b != nil {
		t, err := app.ParseTable(b)
		if err != nil {
			note(f["resources.arsc"], err)
		}
		if t != nil {
			resources = t
		}
	}
	a := &Android{Manifest: app.ReadManifest(root, resources), File: f[manifest]}
	if a.Split != "" {
		return nil
	}
	if b := f.read(a.Manifest.Network, mostXML); b != nil {
		if root, err := app.ParseXML(b); root != nil && root.Name == "network-security-config" {
			a.Network = app.ReadNetworkConfig(root, resources)
		} else if err != nil {
			note(f[a.Manifest.Network], err)
		}
	}
	f.jarSignatures(&a.Signatures)
	if err := a.Signatures.Block(n.Data, n.Data.Size()); err != nil {
		note(n, err)
	}
	a.Code = f.code("")
	return &App{Node: n, Android: a}
}

// bundle reads an app bundle (AAB).
func (f files) bundle(n *tree.Node) *App {
	const manifest = "base/manifest/AndroidManifest.xml"
	root, err := app.ParseProtoXML(f.read(manifest, mostXML))
	if err != nil {
		note(f[manifest], err)
	}
	if root == nil || root.Name != "manifest" {
		return nil
	}
	resources := app.ParseProtoTable(f.read("base/resources.pb", mostRes))
	a := &Android{Manifest: app.ReadManifest(root, resources), File: f[manifest], Bundle: true}
	if b := f.read("base/"+a.Manifest.Network, mostXML); b != nil && a.Manifest.Network != "" {
		if root, err := app.ParseProtoXML(b); err == nil && root.Name == "network-security-config" {
			a.Network = app.ReadNetworkConfig(root, resources)
		}
	}
	f.jarSignatures(&a.Signatures)
	a.Code = f.code("base/dex/")
	return &App{Node: n, Android: a}
}

// in lists the files of a folder that end so, in order.
func (f files) in(folder string, endings ...string) (names []string) {
	for name := range f {
		if in, file := path.Split(name); in == folder && slices.Contains(endings, path.Ext(file)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f files) jarSignatures(s *app.Signatures) {
	for _, name := range f.in("META-INF/", ".RSA", ".DSA", ".EC") {
		if err := s.JAR(f.read(name, mostXML)); err != nil {
			note(f[name], err)
		}
	}
}

// code reads the byte code in a folder.
func (f files) code(folder string) *app.Code {
	var code app.Code
	names := f.in(folder, ".dex")
	for _, name := range names[:min(len(names), mostDEX)] {
		if err := code.Add(f.read(name, mostCode)); err != nil {
			note(f[name], err)
		}
	}
	if code.Methods == nil {
		return nil
	}
	slices.Sort(code.Hosts)
	code.Hosts = slices.Compact(code.Hosts)
	return &code
}

// note says at a node why it could not be read.
func note(n *tree.Node, err error) {
	if n != nil && len(n.Notes) < 100 {
		n.Notes = append(n.Notes, tree.Note{Offset: -1, Text: err.Error()})
	}
}

// Name is how the app is called in findings.
func (a *App) Name() string {
	switch {
	case a.Android != nil:
		return a.Android.Package
	case a.IOS.Info.Text("CFBundleIdentifier") != "":
		return a.IOS.Info.Text("CFBundleIdentifier")
	}
	return a.Node.Name
}

// String says in one line what it is.
func (a *App) String() string {
	var b bytes.Buffer
	b.WriteString(a.Name())
	if x := a.Android; x != nil {
		b.WriteString(" " + x.VersionName + " for Android")
	} else {
		b.WriteString(" " + a.IOS.Info.Text("CFBundleShortVersionString") + " for iOS")
	}
	return b.String()
}
