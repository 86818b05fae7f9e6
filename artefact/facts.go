// Package artefact finds facts in what makers ship. It opens an artefact (package firmware), looks once at every byte of it, and keeps what
// checks judge: it judges nothing itself.
package artefact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/firmware"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// Source is an artefact as it is to be read.
type Source struct {
	Part   string // of the product
	Role   product.Role
	File   string // what it is called outside
	Data   *io.SectionReader
	Close  func() error // nil: there is nothing to close
	Beside Beside
}

// Facts are what is known of one artefact.
type Facts struct {
	Part   string
	Role   product.Role
	File   string
	Size   int64  // bytes
	SHA256 string // in hex

	Root       *tree.Node
	Profile    []float64 // entropy in bits a byte of 256 stretches of equal length, or fewer of a small one
	Unsearched []string  // contents in which a search failed by a fault of its own
	Overfull   bool      // more was found than there is room for
	Opaque     int64     // bytes of it that nothing opens and that look random: encrypted, or packed in an unknown way

	Found
	Beside
	Starts       []startup.Start // what the file systems in it start
	CommandLines []CommandLine   // that a kernel in it is given

	lists lists
	close []func() error
}

// Found are the facts of all contents, in the order in which these lie.
type Found struct {
	desk   *desk
	failed []string // what went wrong in searches

	Binaries     []Binary
	startup      []startup.Read
	Settings     []Settings
	Environments []Environment
	Banners      []Banner
	CipherTables []CipherTable
	Pages        []Page
	Accounts     []Account
	Certificates []Certificate
	PrivateKeys  []PrivateKey
	PublicKeys   []PublicKey
	Secrets      []Secret
	Addresses    []Address
	Assignments  []Assignment
	WellKnown    []WellKnown
	Pins         []Pin
	KeyStores    []KeyStore
	Apps         []*apps.App // of all archives
	Components   []Component // by name
}

// Summary says in one line what it is.
func (f *Facts) Summary() string {
	files, formats := 0, []string{}
	for n := range f.Root.All() {
		if n.File != nil && n.File.Mode.IsRegular() {
			files++
		}
		if n.Format != "" && !slices.Contains(formats, n.Format) {
			formats = append(formats, n.Format)
		}
	}
	if len(formats) == 0 {
		formats = []string{"nothing that is known"}
	}
	return fmt.Sprintf("%s; %d files", strings.Join(formats, ", "), files)
}

// Close frees what the nodes are read from.
func (f *Facts) Close() error {
	var failed error
	for _, c := range f.close {
		if err := c(); err != nil {
			failed = err
		}
	}
	return failed
}

// Examine opens an artefact and finds the facts. It closes the source with the facts, or when it fails, which it does only when this
// machine does: of what is odd in the artefact the nodes tell.
func Examine(ctx context.Context, s Source) (*Facts, error) {
	f := &Facts{Part: s.Part, Role: s.Role, File: s.File, Size: s.Data.Size(), Beside: s.Beside}
	if s.Beside.Previous != nil {
		f.close = append(f.close, s.Beside.Previous.Close)
	}
	if s.Close != nil {
		f.close = append(f.close, s.Close)
	}
	h := sha256.New()
	p := newProfile(f.Size)
	if _, err := io.Copy(io.MultiWriter(h, p), io.NewSectionReader(s.Data, 0, f.Size)); err != nil {
		f.Close()
		return nil, fmt.Errorf("read %s: %w", s.File, err)
	}
	f.SHA256, f.Profile = hex.EncodeToString(h.Sum(nil)), p.done()
	opened, err := firmware.Open(ctx, s.File, s.Data, tree.Limits{})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open %s: %w", s.File, err)
	}
	f.close = append(f.close, opened.Close)
	f.Root = opened.Root
	if err := f.examine(ctx); err != nil {
		f.Close()
		return nil, fmt.Errorf("examine %s: %w", s.File, err)
	}
	f.Components = joinComponents(append(f.Components, described(f.Root)...))
	if err := f.findApps(ctx); err != nil {
		f.Close()
		return nil, fmt.Errorf("look for apps in %s: %w", s.File, err)
	}
	return f, nil
}
