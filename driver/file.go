package driver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/shakedown-test/shakedown/product"
)

// readFile opens the file of an artefact.
func readFile(env Env) (Artefact, error) {
	path, err := product.Expand(env.Part.Path, env.Values)
	if err != nil {
		return Artefact{}, fmt.Errorf("find the file of part %q: %w", env.Part.Name, err)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Artefact{}, fmt.Errorf("open the file of part %q: %w\nhint: correct path, or build it first", env.Part.Name, err)
	}
	if err != nil {
		return Artefact{}, fmt.Errorf("open the file of part %q: %w", env.Part.Name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is %s, not a file\nhint: name one file; pack a folder with tar", path, info.Mode().Type())
	}
	if err != nil {
		f.Close()
		return Artefact{}, fmt.Errorf("open the file of part %q: %w", env.Part.Name, err)
	}
	return Artefact{File: filepath.Base(path), Data: io.NewSectionReader(f, 0, info.Size()), Close: f.Close}, nil
}

// openFile is for the few who would start a file.
func openFile(env Env) (Driver, error) {
	return nil, fmt.Errorf("start part %q: it is a file: %w", env.Part.Name, ErrCannot)
}
