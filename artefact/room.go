package artefact

import (
	"sync"
	"sync/atomic"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// mostKept is how many bytes of memory the facts of an artefact may take, about.
const mostKept = 64 << 20

// desk is what those share who look at the pieces of an artefact.
type desk struct {
	room   atomic.Int64 // bytes of memory that are left for facts
	large  sync.Mutex   // of the buffer
	buffer []byte       // for a large piece
}

// takes says whether there is room for a fact of so many bytes.
func (f *Found) takes(bytes int) bool {
	return f.desk == nil || f.desk.room.Add(-int64(bytes)) >= 0
}

// settle counts what was kept without having been asked for, drops it when there is no room, and says whether anything is left.
func (f *Found) settle() (some bool) {
	type uncounted struct {
		startup      any
		settings     []Settings
		environments []Environment
		banners      []Banner
		tables       []CipherTable
		pages        []Page
		accounts     []Account
		assignments  []Assignment
		pins         []Pin
		stores       []KeyStore
		components   []Component
	}
	if len(f.startup)+len(f.Settings)+len(f.Environments)+len(f.Banners)+len(f.CipherTables)+len(f.Pages)+len(f.Accounts)+len(f.Assignments)+len(f.Pins)+len(f.KeyStores)+len(f.Components) > 0 {
		weight := tree.Weight(uncounted{f.startup, f.Settings, f.Environments, f.Banners, f.CipherTables, f.Pages, f.Accounts, f.Assignments, f.Pins, f.KeyStores, f.Components})
		some = f.takes(int(weight))
		if !some {
			*f = Found{
				desk: f.desk, failed: f.failed, Binaries: f.Binaries, Certificates: f.Certificates, PrivateKeys: f.PrivateKeys, PublicKeys: f.PublicKeys,
				Secrets: f.Secrets, Addresses: f.Addresses, WellKnown: f.WellKnown,
			}
		}
	}
	return some || len(f.failed)+len(f.Binaries)+len(f.Certificates)+len(f.PrivateKeys)+len(f.PublicKeys)+len(f.Secrets)+len(f.Addresses)+len(f.WellKnown) > 0
}

// What facts take, in bytes of memory.
const (
	certificateWeight = 5000 // and its own
	keyWeight         = 1000
	secretWeight      = 200
	addressWeight     = 250
)
