package security

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/settings"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidDebug looks for an Android system that was built for debugging.
var AndroidDebug = &check.Check{
	ID:       "security.android-debug",
	Title:    "Is no debug build of Android",
	Why:      "adb gives a shell to whoever reaches it, over a cable or the network; thousands of set-top boxes were taken that way. Test keys let everybody sign updates.",
	Pass:     "ro.debuggable is not 1, ro.secure not 0, no adb over the network, no test-keys, and adbd is not started without a condition",
	Fix:      "Build the variant user, sign with release keys of your own, and take adb out of persist.sys.usb.config.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.6-4A", "CRA:I.2j", "ISTG:FW-CONF-002"},
	Rows:         []string{"SVC-ADB"},
	Sources:      []string{"Android Compatibility Definition, 6.1", "AOSP: build variants user, userdebug, eng"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files with properties or init services of Android", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		looked := 0
		for _, s := range f.Settings {
			if s.Kind == settings.Property {
				looked++
			}
		}
		adbd := slices.DeleteFunc(slices.Clone(f.Starts), func(s startup.Start) bool { return s.Kind != startup.Android && s.Name() != "adbd" })
		return looked + len(adbd), append(judgeProperties(f.Settings), judgeServers(adbd, []string{"adbd"}, "Starts the debug bridge of Android")...)
	}),
}

// debugProperties are values of properties that only a build for developers has.
var debugProperties = []struct {
	key   string
	bad   func(value string) bool
	title string
}{
	{"ro.debuggable", func(v string) bool { return v == "1" }, "Lets everything be debugged"},
	{"ro.secure", func(v string) bool { return v == "0" }, "Gives root to the debug bridge"},
	{"ro.adb.secure", func(v string) bool { return v == "0" }, "Asks nobody for a key on the debug bridge"},
	{"service.adb.tcp.port", func(v string) bool { return v != "" && v != "0" && v != "-1" }, "Opens the debug bridge to the network"},
	{"persist.adb.tcp.port", func(v string) bool { return v != "" && v != "0" && v != "-1" }, "Opens the debug bridge to the network"},
	{"ro.build.tags", func(v string) bool { return strings.Contains(v, "test-keys") }, "Is signed with the public test keys of Android"},
}

// judgeProperties finds them.
func judgeProperties(all []artefact.Settings) (findings []check.Finding) {
	for _, f := range all {
		if f.Kind != settings.Property {
			continue
		}
		for _, p := range debugProperties {
			if v, ok := f.Sections[0].Get(p.key); ok && p.bad(v) {
				findings = append(findings, check.Finding{
					Title: p.title, Seen: fmt.Sprintf("line %d of %s: %s=%s", f.Sections[0].LineOf(p.key), f.Node.Path(), p.key, v),
				})
			}
		}
	}
	return findings
}
