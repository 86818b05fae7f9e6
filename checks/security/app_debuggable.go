package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AppDebuggable looks for apps that let a debugger in.
var AppDebuggable = &check.Check{
	ID:       "security.app-debuggable",
	Title:    "Lets no debugger into its app",
	Why:      "Who has the phone in hand for a minute reads all that the app stores and runs code as the app: tokens, keys of the home, the local protocol.",
	Pass:     "no Android app has android:debuggable or android:testOnly, and no iOS app is entitled to get-task-allow",
	Fix:      "Ship the release build, signed for release.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-4A", "CRA:I.2b", "CRA:I.2j"},
	Sources:      []string{"developer.android.com: android:debuggable", "developer.apple.com: get-task-allow"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("phone apps", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		return true, judgeDebuggable(a)
	}),
}

func judgeDebuggable(a *apps.App) (findings []check.Finding) {
	find := func(what, where string) {
		findings = append(findings, check.Finding{
			Title: "Lets a debugger into " + a.Name(),
			Seen:  fmt.Sprintf("%s says %s", where, what),
		})
	}
	switch x := a.Android; {
	case x != nil && x.Debuggable:
		find("android:debuggable=\"true\"", x.File.Path())
	case x != nil && x.TestOnly:
		find("android:testOnly=\"true\"", x.File.Path())
	case a.IOS != nil && a.IOS.Entitlements.True("get-task-allow"):
		find("get-task-allow: it is signed for development", "the signature of "+a.Node.Path())
	}
	return findings
}
