//go:build peers

package report_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The report opens from disk in a real browser: no request to anywhere, no console error, no sideways scrolling on a phone or a desk.
func TestInBrowser(t *testing.T) {
	dir := t.TempDir()
	page, err := os.ReadFile(filepath.Join("testdata", "golden", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "report.html"), string(page))
	for _, width := range []int{400, 1400} {
		frame := fmt.Sprintf(`<!doctype html><title>frame</title><iframe src="report.html" style="border:0" width="%d" height="900"
			onload="document.title='width '+this.contentDocument.documentElement.scrollWidth+', asks for '+
			this.contentWindow.performance.getEntriesByType('resource').map(e => e.name).join(' ')"></iframe>`, width)
		write(t, filepath.Join(dir, "frame.html"), frame)
		dom, log := chromium(t, dir, "file://"+filepath.Join(dir, "frame.html"))
		if want := fmt.Sprintf("<title>width %d, asks for </title>", width); !strings.Contains(dom, want) {
			t.Errorf("the page is not as wide as its window of %d px, or asks for something: %s", width,
				regexp.MustCompile(`(?s)<title>.*?</title>`).FindString(dom))
		}
		if strings.Contains(log, "CONSOLE") {
			t.Errorf("the console says something:\n%s", log)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// chromium opens url without a screen and returns the document and what was logged.
func chromium(t *testing.T, dir, url string) (dom, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--allow-file-access-from-files",
		"--enable-logging=stderr", "--user-data-dir="+filepath.Join(dir, "profile"), "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1500,1000",
		"--virtual-time-budget=3000", "--dump-dom", url)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("open %s: %v\n%s", url, err, errs.String())
	}
	return out.String(), errs.String()
}
