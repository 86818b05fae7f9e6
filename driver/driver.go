// Package driver acts on real parts: it starts, stops and kills them, reads what they print, and passes on what the maker's own
// control program can do.
package driver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/netip"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/clock"
)

// ErrCannot says that a driver lacks what was asked of it. The planner keeps checks from getting here.
var ErrCannot = errors.New("driver cannot do this")

// Env is what a part is told about the world around it, and where its driver reports to.
type Env struct {
	Clock   *clock.Clock
	Log     *evidence.Log
	Part    product.Part
	Variant product.Variant
	Seed    uint64
	State   string            // the part's state folder, kept over restarts; it exists
	Values  map[string]string // placeholders without braces: broker.host, broker.port, broker.name, ca.file, client.cert, client.key, device.id, state.dir, listen.port, server.cert, server.key, clients.ca, variant.NAME
	Defects []string          // reference only: planted on purpose
	Place   *join.Place       // of a process in the world: the network that it is alone in; nil: it uses the machine's network
	Host    *internet.Host    // of a part that runs in this process and joins the world; nil: it uses the machine's network

	Resolvers []netip.Addr // what the world's network tells of, best first; none: names are the machine's business

	// Ask puts a question to the person at the terminal and returns the answer; nil when there is none.
	Ask func(ctx context.Context, question string) (string, error)
	// Tell shows a line to the person; never nil.
	Tell func(line string)
}

// Driver is how Shakedown acts on one real part. What it prints, and its exits, go to Env.Log as Console and Exit events of the
// part's name. A Driver is used by one goroutine at a time.
type Driver interface {
	// Start powers the part on. It returns when the part was started, not when it is online. Starting a running part is no error.
	Start(ctx context.Context) error
	// Stop ends the part in the orderly way, within ctx.
	Stop(ctx context.Context) error
	// Close ends the part at once and leaves nothing behind.
	Close() error
}

// Killer is a Driver that can take the power away without warning: nothing that the part would do at its end is done.
type Killer interface {
	Kill(ctx context.Context) error
}

// Readdresser is a Driver that can give its part another address in its home network. The error is ErrCannot where the part's address is
// its own affair.
type Readdresser interface {
	Readdress(to netip.Prefix) error
}

// Trigger is a Driver whose part can be made to do something that the maker named.
type Trigger interface {
	Trigger(ctx context.Context, name string, args map[string]string) error
}

// Querier is a Driver whose part can be asked for a value that the maker named.
type Querier interface {
	Query(ctx context.Context, name string) (json.RawMessage, error)
}

// Kind is one sort of driver, as named in the product file.
type Kind struct {
	Name      string
	Open      func(Env) (Driver, error)
	Can       []product.Capability        // what every driver of this kind can do; a part's control program may add to it
	Artefact  func(Env) (Artefact, error) // of artefacts, instead of Open; nil: it has none
	Instances int                         // how many parts can run at once; 0: any number
	Joins     bool                        // every device of this kind joins the in-process internet; see Kinds.Joins
}

// Artefact is a file under test, or what an endpoint sent.
type Artefact struct {
	File  string // what it is called
	Data  *io.SectionReader
	Close func() error // nil: there is nothing to close

	Folder func(path string) fs.FS // opens a folder that the product file names beside the artefact; nil: one of this machine
}

// Kinds finds a Kind by the name in the product file.
type Kinds map[string]Kind

// Joins reports whether a part is in the in-process internet; else it connects over the machine's own network.
func (k Kinds) Joins(part product.Part) bool {
	return k[part.Driver].Joins || part.Network == product.InWorld
}
