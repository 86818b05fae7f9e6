package security

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AppExported looks for services, receivers and providers that every other app can use.
var AppExported = &check.Check{
	ID:       "security.app-exported",
	Title:    "Opens no service, receiver or provider of its app to all other apps",
	Why:      "Any app on the phone can start what is exported without a permission: open the lock, read what is stored, stop the alarm.",
	Pass:     "each exported service, receiver and provider of the app's own classes needs a permission, or answers broadcasts and calls that only the system sends",
	Fix:      "android:exported=\"false\", or a permission with protectionLevel=\"signature\".",
	Severity: check.Info,

	Requirements: []string{"CRA:I.2j", "EN303645:5.6-5"},
	Sources:      []string{"developer.android.com: android:exported"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil {
			return false, nil
		}
		return true, judgeAppExported(a.Android)
	}),
}

// libraries are where components come from that need what they do, and check themselves who calls.
var libraries = []string{"androidx.", "android.", "com.google.", "com.facebook.", "com.amazon.", "com.huawei.", "io.flutter.", "dev.fluttercommunity."}

// systemic are the beginnings of actions that the system alone sends, or that a component must be open for.
var systemic = []string{"android.intent.action.", "android.net.", "android.bluetooth.", "android.app.action.", "android.appwidget.", "android.nfc.", "android.media.", "android.service.", "com.google.", "com.android."}

func judgeAppExported(a *apps.Android) []check.Finding {
	var open []string
	for _, c := range a.Components {
		if c.Kind == app.Activity || c.Permission != "" || !c.Exposed(a.TargetSDK) || begins(c.Name, libraries) {
			continue
		}
		systems := len(c.Actions) > 0
		for _, action := range c.Actions {
			systems = systems && begins(action, systemic)
		}
		if !systems {
			open = append(open, string(c.Kind)+" "+c.Name)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return []check.Finding{{
		Title: "Opens components of its app to all others on the phone",
		Seen:  fmt.Sprintf("%d are exported without a permission in %s: %s", len(open), a.File.Path(), strings.Join(open[:min(len(open), 10)], ", ")),
	}}
}

func begins(s string, with []string) bool {
	for _, w := range with {
		if strings.HasPrefix(s, w) {
			return true
		}
	}
	return false
}
