package testbed

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/sbom"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// openArtefacts opens every file of the role under test, and asks every endpoint.
func (b *Bed) openArtefacts() error {
	shelf := b.cfg.Shelf
	if shelf == nil {
		shelf = &artefact.Shelf{}
		b.Undo(func() { shelf.Close() })
	}
	values := map[string]string{
		"variant.name": b.Variant.Name, "variant.hardware": b.Variant.Hardware, "variant.firmware": b.Variant.Firmware,
	}
	for name, value := range b.Variant.Set {
		values["variant."+name] = value
	}
	for _, part := range b.Product.Real() {
		if !b.Product.Is(part, b.cfg.Real) {
			continue
		}
		if part.Role == product.Cloud { // the certificates of its endpoint
			served := *part
			served.Role, served.Driver = product.Endpoint, "endpoint"
			part = &served
		}
		env := driver.Env{Clock: b.Clock, Log: b.Log, Part: *part, Variant: b.Variant, Seed: b.cfg.Seed, Values: values, Defects: b.cfg.Defects, Tell: b.cfg.Tell}
		key := strings.Join(append([]string{part.Name, b.Variant.Name}, b.cfg.Defects...), "\x00")
		facts, err := shelf.Facts(context.Background(), key, func() (artefact.Source, error) {
			a, err := driver.OpenArtefact(b.cfg.Kinds, env)
			if err != nil {
				return artefact.Source{}, err
			}
			return artefact.Source{Part: part.Name, Role: part.Role, File: a.File, Data: a.Data, Close: a.Close, Beside: b.beside(env, a)}, nil
		})
		if err != nil {
			return err
		}
		b.Artefacts = append(b.Artefacts, facts)
		if facts.Size > 0 {
			b.Log.Add(evidence.Event{
				Part: part.Name, Kind: evidence.Contents, Size: int(facts.Size),
				Text: fmt.Sprintf("%s, %d bytes, sha256 %s: %s", facts.File, facts.Size, facts.SHA256, facts.Summary()),
			})
		}
	}
	return nil
}

// beside reads what the product file names beside an artefact.
func (b *Bed) beside(env driver.Env, a driver.Artefact) (o artefact.Beside) {
	part := env.Part
	folder := a.Folder
	if folder == nil {
		folder = func(path string) fs.FS { return os.DirFS(path) }
	}
	paper := func(name string) artefact.Paper {
		path, err := product.Expand(name, env.Values)
		if err != nil {
			return artefact.Paper{Name: name, Err: err}
		}
		return artefact.ReadPaper(folder(filepath.Dir(path)), filepath.ToSlash(path), sbom.Largest)
	}
	if part.SBOM != "" {
		p := paper(part.SBOM)
		o.SBOM = &p
	}
	for _, name := range part.VEX {
		o.VEX = append(o.VEX, paper(name))
	}
	if part.Data != "" {
		if path, err := product.Expand(part.Data, env.Values); err == nil {
			o.Data, o.DataName = folder(path), path
		}
	}
	if part.Previous != "" {
		env.Part.Path = part.Previous
		o.Previous, o.PreviousErr = b.previous(env)
	}
	return o
}

// previous opens the artefact that users have now.
func (b *Bed) previous(env driver.Env) (*artefact.Facts, error) {
	a, err := driver.OpenArtefact(b.cfg.Kinds, env)
	if err != nil {
		return nil, err
	}
	return artefact.Examine(context.Background(), artefact.Source{Part: env.Part.Name, Role: env.Part.Role, File: a.File, Data: a.Data, Close: a.Close})
}
