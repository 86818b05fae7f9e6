package artefact

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/settings"
	"github.com/shakedown-test/shakedown/firmware/boot"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Settings are those of one file.
type Settings struct {
	settings.File
	Node *tree.Node
}

// Environment is one of U-Boot with the node that it is in.
type Environment struct {
	settings.Environment
	Node *tree.Node
}

// Place says where it is.
func (e Environment) Place() string {
	if e.At == 0 {
		return e.Node.Path()
	}
	return fmt.Sprintf("at %#x of %s", e.At, e.Node.Path())
}

// findSettings reads configuration files, the environments of U-Boot, and the configuration that a kernel holds of itself.
func findSettings(c content, found *Found) {
	name := c.node.Name
	if c.node.File == nil {
		name = ""
	}
	if c.at == 0 {
		if f := settings.Parse(name, c.data); f != nil {
			found.Settings = append(found.Settings, Settings{*f, c.node})
		}
	}
	if e, ok := c.node.Info.(*boot.Environment); ok {
		found.Environments = append(found.Environments, Environment{environment(e), c.node})
		return
	}
	for _, e := range settings.Environments(c.data) {
		if e.At >= int64(c.fresh) {
			e.At += c.at
			found.Environments = append(found.Environments, Environment{e, c.node})
		}
	}
	if f := kernelConfig(c.data); f != nil {
		found.Settings = append(found.Settings, Settings{*f, c.node})
	}
}

// environment is one that was opened as such.
func environment(e *boot.Environment) settings.Environment {
	values := map[string]string{}
	for _, v := range e.Variables {
		if _, ok := values[v[0]]; !ok {
			values[v[0]] = v[1]
		}
	}
	return settings.Environment{Saved: e.Stored, Values: values}
}

// CommandLine is what a kernel is told when it starts.
type CommandLine struct {
	Text string
	Node *tree.Node // that holds it
}

// commandLines are those of environments, device trees, boot images of Android and the files of boot partitions.
func (f *Facts) commandLines() (list []CommandLine) {
	for _, e := range f.Environments {
		if text := e.Values["bootargs"]; text != "" {
			list = append(list, CommandLine{text, e.Node})
		}
	}
	for n := range f.Root.All() {
		switch info := n.Info.(type) {
		case *boot.DTNode:
			if text := info.Child("chosen").Property("bootargs").Text(); text != "" {
				list = append(list, CommandLine{text, n})
			}
		case *boot.AndroidBoot:
			list = append(list, CommandLine{info.Command, n})
		}
		if base := path.Base(n.Name); n.File != nil && (base == "cmdline.txt" || base == "extlinux.conf") {
			text, err := n.Read(16 << 10)
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(text)) {
				words := strings.Fields(line)
				if base == "extlinux.conf" && (len(words) == 0 || !strings.EqualFold(words[0], "append")) {
					continue
				}
				list = append(list, CommandLine{strings.Join(words, " "), n})
			}
		}
	}
	return list
}

// kernelConfig reads what a kernel with CONFIG_IKCONFIG holds (kernel/configs.c): a gzip file between two marks.
func kernelConfig(data []byte) *settings.File {
	_, packed, ok := bytes.Cut(data, []byte("IKCFG_ST\x1f\x8b"))
	if !ok {
		return nil
	}
	r, err := gzip.NewReader(io.MultiReader(bytes.NewReader([]byte{0x1f, 0x8b}), bytes.NewReader(packed)))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(r, 1<<20)) // what comes before an error is as good
	if !settings.KernelConfig(text) {
		return nil
	}
	return settings.Parse("", text)
}
