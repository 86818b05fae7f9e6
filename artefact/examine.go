package artefact

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// content is a piece, or a stretch of a large one, as an examiner is given it.
type content struct {
	node  *tree.Node
	data  []byte // valid until the examiner returns
	at    int64  // where data begin in the node's
	fresh int    // of these bytes on, those before were in the stretch before: what begins before belongs to that
	whole bool   // data are all of the node's
}

// examiners are all that look for facts. Each is called once for every piece, or for every stretch of one that is longer than stretch, by
// several goroutines at once. What it keeps of the data it copies.
var examiners = []func(c content, found *Found){
	findAccounts,
	findBinaries,
	findStartup,
	findSettings,
	findCode,
	findSecrets,
	findAssignments,
	findComponents,
	findTrust,
}

const (
	stretch = 64 << 20 // bytes that are looked at together
	several = 8 << 20  // bytes of a piece; of larger ones only one is looked at at a time, so that they do not fill the memory together
	overlap = 64 << 10 // bytes that a stretch shares with the one before

	shortestBlank = 4 << 10 // bytes of nothing but one value in which nothing is looked for
)

// piece is a run of bytes of a node that lies in none of its children.
type piece struct {
	node     *tree.Node
	from, to int64
}

// shortest is how long a run between children must be to be looked at: headers and what fills up to the next block are shorter.
const shortest = 24

// pieces are all bytes of the artefact, once: the leaves, and of what holds parts that lie in it as they are, the bytes between those.
func pieces(root *tree.Node) (all []piece) {
	for n := range root.All() {
		if n.Data == nil {
			continue
		}
		if n.Leaf() {
			all = append(all, piece{n, 0, n.Data.Size()})
			continue
		}
		var parts []*tree.Node
		for _, c := range n.Children {
			if c.Offset >= 0 && c.Data != nil {
				parts = append(parts, c)
			}
		}
		if len(parts) == 0 {
			continue // it is packed
		}
		slices.SortFunc(parts, func(a, b *tree.Node) int { return cmp.Compare(a.Offset, b.Offset) })
		free := int64(0)
		for _, c := range parts {
			if c.Offset-free >= shortest {
				all = append(all, piece{n, free, c.Offset})
			}
			free = max(free, c.Offset+c.Data.Size())
		}
		if n.Data.Size()-free >= shortest {
			all = append(all, piece{n, free, n.Data.Size()})
		}
	}
	return all
}

// examine looks at every byte.
func (f *Facts) examine(ctx context.Context) error {
	all := pieces(f.Root)
	found, opaque := make([]*Found, len(all)), make([]int64, len(all))
	d := &desk{}
	d.room.Store(mostKept)
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		next    int
		failed  error
	)
	for range min(runtime.NumCPU(), runtime.GOMAXPROCS(0), 4) {
		workers.Go(func() {
			var buffer []byte
			for {
				mu.Lock()
				i := next
				next++
				stop := failed != nil
				mu.Unlock()
				if i >= len(all) || stop {
					return
				}
				var err error
				f := &Found{desk: d}
				buffer, err = all[i].examine(ctx, buffer, f, &opaque[i])
				if f.settle() {
					found[i] = f
				}
				if err != nil {
					mu.Lock()
					failed = fmt.Errorf("%s: %w", all[i].node.Path(), err)
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	if failed != nil {
		return failed
	}
	for i := range found {
		f.Opaque += opaque[i]
		if found[i] == nil {
			continue
		}
		f.add(found[i])
		faults := found[i].failed
		found[i] = nil // so that its memory is free for what it is joined to
		for _, text := range faults {
			f.Unsearched = append(f.Unsearched, all[i].node.Path()+": "+text)
		}
	}
	if f.Overfull = d.room.Load() < 0; f.Overfull {
		f.Root.Notes = append(f.Root.Notes, tree.Note{Offset: -1, Text: fmt.Sprintf("what was found in it takes more than %d MiB of memory: not all of it was kept", mostKept>>20)})
	}
	f.conclude()
	return nil
}

// examine has all examiners look at a piece. It gives the buffer back, which may have grown.
func (p piece) examine(ctx context.Context, kept []byte, found *Found, dark *int64) (buffer []byte, err error) {
	buffer = kept
	n := p.node
	if p.to-p.from > several {
		d := found.desk
		d.large.Lock()
		defer d.large.Unlock()
		defer func() { d.buffer, buffer = buffer, kept }()
		buffer = d.buffer
	}
	for at := p.from; at == p.from || at < p.to; at += stretch {
		if err := ctx.Err(); err != nil {
			return buffer, err
		}
		from := max(p.from, at-overlap)
		want := int(min(p.to, at+stretch) - from)
		if cap(buffer) < want {
			buffer = make([]byte, want)
		}
		data := buffer[:want]
		if got, err := n.Data.ReadAt(data, from); err != nil && (err != io.EOF || got < want) {
			return buffer, err
		}
		if _, same := tree.Uniform(data); same && len(data) > shortestBlank {
			continue
		}
		c := content{node: n, data: data, at: from, fresh: int(at - from), whole: p.to-p.from == n.Data.Size() && n.Data.Size() <= stretch}
		for _, look := range examiners {
			if found.desk.room.Load() >= 0 { // else nothing more can be kept
				found.guard(look, c)
			}
		}
		if n.Format == "" && n.File == nil {
			*dark += opaque(data[c.fresh:])
		}
	}
	return buffer, nil
}

// guard has an examiner look, whose fault must not be the end of the rest.
func (f *Found) guard(look func(content, *Found), c content) {
	defer func() {
		if p := recover(); p != nil {
			f.failed = append(f.failed, fmt.Sprintf("%v", p))
		}
	}()
	look(c, f)
}

// add joins facts.
func (f *Found) add(g *Found) {
	f.Accounts = append(f.Accounts, g.Accounts...)
	f.Binaries = append(f.Binaries, g.Binaries...)
	f.startup = append(f.startup, g.startup...)
	f.Settings = append(f.Settings, g.Settings...)
	f.Environments = append(f.Environments, g.Environments...)
	f.Banners = append(f.Banners, g.Banners...)
	f.CipherTables = append(f.CipherTables, g.CipherTables...)
	f.Pages = append(f.Pages, g.Pages...)
	f.Certificates = append(f.Certificates, g.Certificates...)
	f.PrivateKeys = append(f.PrivateKeys, g.PrivateKeys...)
	f.PublicKeys = append(f.PublicKeys, g.PublicKeys...)
	f.Secrets = append(f.Secrets, g.Secrets...)
	f.Addresses = append(f.Addresses, g.Addresses...)
	f.Assignments = append(f.Assignments, g.Assignments...)
	f.WellKnown = append(f.WellKnown, g.WellKnown...)
	f.Components = append(f.Components, g.Components...)
	f.Pins = append(f.Pins, g.Pins...)
	f.KeyStores = append(f.KeyStores, g.KeyStores...)
}
