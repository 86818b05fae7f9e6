package app

import (
	"strconv"
	"strings"
)

// Manifest is what an AndroidManifest.xml says, as far as it is judged.
type Manifest struct {
	Package     string
	VersionCode int64
	VersionName string
	Split       string // it is not the base of the app but a part of it

	MinSDK    int // 1 where it is not told
	TargetSDK int // MinSDK where it is not told

	Debuggable bool
	TestOnly   bool
	Cleartext  *bool  // usesCleartextTraffic; nil: not told
	Network    string // file of the network security config, as in "res/xml/network_security_config.xml"

	Permissions []Permission
	Components  []Component
}

// Preview is the API level of an app that targets a version of Android by its code name, before that is out.
const Preview = 10_000

// Permission is one that the app uses.
type Permission struct {
	Name             string
	Max              int  // the last API level for which it is asked; 0: all
	NeverForLocation bool // what it gives is not used to find out where the user is
}

// ComponentKind is what a component is.
type ComponentKind string

// The kinds of components.
const (
	Activity ComponentKind = "activity"
	Service  ComponentKind = "service"
	Receiver ComponentKind = "receiver"
	Provider ComponentKind = "provider"
)

// Component is an activity, service, receiver or provider.
type Component struct {
	Kind       ComponentKind
	Name       string // its class, with the package
	Exported   *bool  // nil: not told
	Permission string // that others need
	Types      uint32 // foregroundServiceType
	Actions    []string
	Filtered   bool // it has an intent filter
}

// Exposed reports whether other apps can reach it: what is not told hangs on intent filters. Providers are so by default up to API level
// 16.
func (c *Component) Exposed(target int) bool {
	switch {
	case c.Exported != nil:
		return *c.Exported
	case c.Kind == Provider:
		return target < 17
	}
	return c.Filtered
}

// Permits gives the permission of a name, as it holds at an API level.
func (m *Manifest) Permits(name string, api int) (Permission, bool) {
	for _, p := range m.Permissions {
		if p.Name == "android.permission."+name && (p.Max == 0 || p.Max >= api) {
			return p, true
		}
	}
	return Permission{}, false
}

// Declares reports whether the permission is named at all.
func (m *Manifest) Declares(name string) bool {
	_, ok := m.Permits(name, 0)
	return ok
}

// mostParts bounds the permissions and the components of a manifest.
const mostParts = 10_000

// ReadManifest reads a manifest, whose references lead into r, which may be nil.
func ReadManifest(root *Element, r Resources) *Manifest {
	text := func(e *Element, name string) string { return textOf(e, name, r) }
	m := &Manifest{Package: text(root, "package"), Split: text(root, "split"), VersionName: text(root, "versionName"), MinSDK: 1}
	m.VersionCode = int64(number(root, "versionCode", r, 0))
	for _, e := range root.All("uses-sdk") {
		m.MinSDK = number(e, "minSdkVersion", r, m.MinSDK)
		m.TargetSDK = number(e, "targetSdkVersion", r, m.TargetSDK)
	}
	m.TargetSDK = max(m.TargetSDK, m.MinSDK)
	for _, e := range root.All("uses-sdk") {
		if v, ok := e.Attr("targetSdkVersion"); ok && Resolve(v, r).Kind == Text && number(e, "targetSdkVersion", r, 0) == 0 {
			m.TargetSDK = Preview
		}
	}
	for _, e := range root.Children {
		if (e.Name == "uses-permission" || e.Name == "uses-permission-sdk-23") && len(m.Permissions) < mostParts {
			const neverForLocation = 0x10000
			m.Permissions = append(m.Permissions, Permission{
				text(e, "name"), number(e, "maxSdkVersion", r, 0), number(e, "usesPermissionFlags", r, 0)&neverForLocation != 0,
			})
		}
	}
	for _, e := range root.All("application") {
		m.Debuggable = truth(e, "debuggable", r) == yes
		m.TestOnly = truth(e, "testOnly", r) == yes
		if v := truth(e, "usesCleartextTraffic", r); v != untold {
			m.Cleartext = v.pointer()
		}
		m.Network = text(e, "networkSecurityConfig")
		for _, c := range e.Children {
			if len(m.Components) < mostParts {
				m.component(c, text(e, "permission"), r)
			}
		}
	}
	return m
}

func (m *Manifest) component(e *Element, permission string, r Resources) {
	kind := ComponentKind(e.Name)
	switch kind {
	case Activity, Service, Receiver, Provider:
	case "activity-alias":
		kind = Activity
	default:
		return
	}
	if truth(e, "enabled", r) == no {
		return
	}
	c := Component{Kind: kind, Name: m.class(textOf(e, "name", r)), Permission: permission, Types: uint32(number(e, "foregroundServiceType", r, 0))}
	for _, name := range []string{"permission", "readPermission", "writePermission"} {
		if p := textOf(e, name, r); p != "" {
			c.Permission = p
		}
	}
	if v := truth(e, "exported", r); v != untold {
		c.Exported = v.pointer()
	}
	for _, f := range e.All("intent-filter") {
		c.Filtered = true
		for _, a := range f.All("action") {
			if len(c.Actions) < 100 {
				c.Actions = append(c.Actions, textOf(a, "name", r))
			}
		}
	}
	m.Components = append(m.Components, c)
}

// class makes a class name whole.
func (m *Manifest) class(name string) string {
	if strings.HasPrefix(name, ".") {
		return m.Package + name
	}
	if name != "" && !strings.Contains(name, ".") {
		return m.Package + "." + name
	}
	return name
}

// answer is a boolean that may not be told.
type answer int

const (
	untold answer = iota
	no
	yes
)

func (a answer) pointer() *bool {
	b := a == yes
	return &b
}

func truth(e *Element, name string, r Resources) answer {
	v, ok := e.Attr(name)
	if !ok {
		return untold
	}
	switch v = Resolve(v, r); {
	case v.Kind == Boolean || v.Kind == Number:
		if v.Number != 0 {
			return yes
		}
		return no
	case v.Text == "true":
		return yes
	case v.Text == "false":
		return no
	}
	return untold
}

func textOf(e *Element, name string, r Resources) string {
	v, ok := e.Attr(name)
	if !ok {
		return ""
	}
	v = Resolve(v, r)
	if v.Kind == Number && v.Text == "" {
		return strconv.FormatInt(int64(int32(v.Number)), 10)
	}
	if v.Kind == Reference {
		return ""
	}
	return v.Text
}

// number reads a number; one that is not told, and the code name of an API level that is not out yet, is the default.
func number(e *Element, name string, r Resources, unless int) int {
	v, ok := e.Attr(name)
	if !ok {
		return unless
	}
	v = Resolve(v, r)
	if v.Kind == Number {
		return int(int32(v.Number))
	}
	if n, err := strconv.ParseInt(v.Text, 0, 32); err == nil {
		return int(n)
	}
	return unless
}
