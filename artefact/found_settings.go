package artefact

import (
	"bytes"
	"compress/gzip"
	"io"

	"github.com/shakedown-test/shakedown/artefact/settings"
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
