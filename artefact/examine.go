package artefact

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// content is a leaf, or a stretch of a large one, as an examiner is given it.
type content struct {
	node  *tree.Node
	data  []byte // valid until the examiner returns
	at    int64  // where data begin in the node's
	fresh int    // of these bytes on, those before were in the stretch before: what begins before belongs to that
	whole bool   // data are all of the node's
}

// examiners are all that look for facts. Each is called once for every leaf, or for every stretch of a leaf that is longer than
// stretch, by several goroutines at once. What it keeps of the data it copies.
var examiners = []func(c content, found *Found){
	findAccounts,
	findBinaries,
	findStartup,
}

const (
	stretch = 64 << 20 // bytes of a leaf that are looked at together
	overlap = 64 << 10 // bytes that a stretch shares with the one before
)

// examine looks at every byte of the leaves.
func (f *Facts) examine(ctx context.Context) error {
	var leaves []*tree.Node
	for n := range f.Root.All() {
		if n.Data != nil && n.Leaf() {
			leaves = append(leaves, n)
		}
	}
	found, opaque := make([]Found, len(leaves)), make([]int64, len(leaves))
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		next    int
		failed  error
	)
	for range min(runtime.GOMAXPROCS(0), 4) {
		workers.Go(func() {
			var buffer []byte
			for {
				mu.Lock()
				i := next
				next++
				stop := failed != nil
				mu.Unlock()
				if i >= len(leaves) || stop {
					return
				}
				var err error
				buffer, err = examineLeaf(ctx, leaves[i], buffer, &found[i], &opaque[i])
				if err != nil {
					mu.Lock()
					failed = fmt.Errorf("%s: %w", leaves[i].Path(), err)
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
		f.add(found[i])
		f.Opaque += opaque[i]
	}
	f.conclude()
	return nil
}

// examineLeaf has all examiners look at a leaf. It gives the buffer back, which may have grown.
func examineLeaf(ctx context.Context, n *tree.Node, buffer []byte, found *Found, dark *int64) ([]byte, error) {
	size := n.Data.Size()
	for at := int64(0); at == 0 || at < size; at += stretch {
		if err := ctx.Err(); err != nil {
			return buffer, err
		}
		from := max(0, at-overlap)
		want := int(min(size, at+stretch) - from)
		if cap(buffer) < want {
			buffer = make([]byte, want)
		}
		data := buffer[:want]
		if got, err := n.Data.ReadAt(data, from); err != nil && (err != io.EOF || got < want) {
			return buffer, err
		}
		c := content{node: n, data: data, at: from, fresh: int(at - from), whole: size <= stretch}
		for _, look := range examiners {
			look(c, found)
		}
		if n.Format == "" && n.File == nil {
			*dark += opaque(data[c.fresh:])
		}
	}
	return buffer, nil
}

// add joins facts.
func (f *Found) add(g Found) {
	f.Accounts = append(f.Accounts, g.Accounts...)
	f.Binaries = append(f.Binaries, g.Binaries...)
	f.startup = append(f.startup, g.startup...)
}
