package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
)

// maxProduct bounds the product file of a run folder.
const maxProduct = 4 << 20

// Write has f write the file name in the run folder, such as a report. The whole file is there, or what was there before.
func (r *Run) Write(name string, f func(io.Writer) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return ErrReadOnly
	}
	if name != filepath.Base(name) {
		return fmt.Errorf("write %s: it would not lie in the run folder", name)
	}
	if err := replaceFile(filepath.Join(r.dir, name), f); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// secretLine is a line of YAML with a secret, up to its end: there, a value without quotes may have blanks in it.
var secretLine = regexp.MustCompile(`(?im)^([ \t]*(?:- )?[\w.-]*` + named + `[ \t]*:[ \t]+)[^\s#{\[].*$`)

// BlankProduct is a product file without the secrets in it.
func BlankProduct(src []byte) []byte {
	return []byte(Redact(secretLine.ReplaceAllString(string(src), "${1}"+Blank)))
}

// KeepProduct puts a copy of the product file into the run folder. Secrets in it are blanked, unless the plan says to keep them.
func (r *Run) KeepProduct(src []byte) error {
	if !r.plan.KeepSecrets {
		src = BlankProduct(src)
	}
	return r.Write(ProductFile, func(w io.Writer) error {
		_, err := w.Write(src)
		return err
	})
}

// ErrBlanked is returned by Product when the copy lacks secrets that the product file had.
var ErrBlanked = errors.New("the secrets in the run's copy of the product file are blanked")

// Product reads the copy of the product file. With ErrBlanked comes the copy, too.
func (r *Run) Product() ([]byte, error) {
	src, err := readBounded(filepath.Join(r.dir, ProductFile), maxProduct)
	if err != nil {
		return nil, fmt.Errorf("read the run's product file: %w", err)
	}
	if bytes.Contains(src, []byte(Blank)) {
		return src, ErrBlanked
	}
	return src, nil
}
