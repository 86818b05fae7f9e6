// Command new starts a check from a template and puts it into the list of its risk. From the root of the module:
//
//	go run ./checks/new fault.reconnect-backoff "Spreads its reconnects when the broker keeps dropping it"
//
// What is still to be written is marked with ‹ ›; a test fails until the marks are gone.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed check.go.tmpl
var skeleton string

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New(`usage: go run ./checks/new risk.slug "Title"`)
	}
	risk, slug, ok := strings.Cut(args[0], ".")
	if !ok || slug == "" || strings.Trim(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("id %q is not a risk, a dot, and lower-case words joined by hyphens", args[0])
	}
	name := ""
	for word := range strings.SplitSeq(slug, "-") {
		name += strings.ToUpper(word[:min(1, len(word))]) + word[min(1, len(word)):]
	}
	list := filepath.Join("checks", risk, "doc.go")
	doc, err := os.ReadFile(list)
	if err != nil {
		return fmt.Errorf("open the list of risk %q: %w", risk, err)
	}
	const start = "Checks: []*check.Check{"
	before, after, ok := strings.Cut(string(doc), start)
	if !ok {
		return fmt.Errorf("%s holds no %q", list, start)
	}
	doc, err = format.Source([]byte(before + start + "\n" + name + ",\n" + strings.TrimPrefix(after, "\n")))
	if err != nil {
		return fmt.Errorf("add %s to %s: %w", name, list, err)
	}
	var text bytes.Buffer
	values := map[string]string{"ID": args[0], "Risk": risk, "Name": name, "Title": args[1]}
	if err := template.Must(template.New("check").Parse(skeleton)).Execute(&text, values); err != nil {
		return fmt.Errorf("fill in the template: %w", err)
	}
	file, err := os.OpenFile(filepath.Join("checks", risk, strings.ReplaceAll(slug, "-", "_")+".go"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the check: %w", err)
	}
	if _, err := file.Write(text.Bytes()); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Close(), os.WriteFile(list, doc, 0o644))
}
