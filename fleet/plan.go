package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/product"
)

// perSource is how many connections go from one address to one endpoint.
const perSource = 10000

// plan is what all shards of a run share. It does not change while they run, except for what is safe for concurrent use.
type plan struct {
	job      Job
	ctx      context.Context
	address  netip.AddrPort
	sources  []netip.Addr
	classes  []*class
	operates *class                     // of the operator; nil: there is nothing to do for one
	deal     []uint16                   // class of device n: deal[n%len(deal)]
	ranks    []uint16                   // how many before it in deal are of the same class
	dealt    []int                      // of each class, how often it stands in deal
	given    []atomic.Pointer[[]string] // of each device of this share, the values of its class's names since it is provisioned; empty where no class is
	updates  bool                       // devices are updated
	perEach  int                        // streams of a device
	perOrder int                        // commands to a device
	course   *course
	length   time.Duration
	over     atomic.Int64 // when the course ends, in nanoseconds since it began: after length, or earlier when it is stopped
	drain    time.Duration
	start    time.Time
	idle     int // memory that this process held before
	portable bool
	ledger   *count.Ledger // of what devices send, and behind that of the commands to them

	identities struct { // that provisioning gave
		sync.Mutex
		seen Given
	}
}

// newPlan prepares a job. The error says what is wrong with it.
func newPlan(ctx context.Context, job Job) (*plan, error) {
	f := job.Fleet
	p := &plan{
		idle: Memory(), job: job, ctx: ctx, length: job.For, drain: job.Drain, portable: job.Goroutine || !eventLoops, ledger: count.New(), sources: job.Sources,
	}
	p.over.Store(int64(p.length))
	if p.drain == 0 {
		p.drain = 5 * time.Second
	}
	var err error
	if p.course, err = newCourse(job.Shape, job.For, f.Devices, f.Connects); err != nil {
		return nil, err
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	p.spread(f.Classes)
	p.identities.seen = Given{}
	for i := range f.Classes {
		c, err := p.newClass(&f.Classes[i], p.members(i))
		if err != nil {
			return nil, fmt.Errorf("class %s: %w", f.Classes[i].Name, err)
		}
		p.classes = append(p.classes, c)
		p.perEach = max(p.perEach, len(c.posts)*max(1, c.Children))
		p.perOrder = max(p.perOrder, len(c.commands))
		p.updates = p.updates || len(c.updates) > 0 && job.Shape == "firmware-day"
		if len(c.provision) > 0 && p.given == nil {
			p.given = make([]atomic.Pointer[[]string], job.To-job.From)
		}
	}
	return p, p.newOperator()
}

// resolve finds the address of the target, once for all devices.
func (p *plan) resolve() error {
	host, port, err := net.SplitHostPort(p.job.Target.Host)
	if err != nil {
		return fmt.Errorf("target %s: %w", p.job.Target.Host, err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("look up %s: %w", host, err)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return fmt.Errorf("port %s: %w", port, err)
	}
	p.address = netip.AddrPortFrom(ips[0].Unmap(), uint16(number))
	if len(p.sources) == 0 && p.address.Addr().Is4() && p.address.Addr().IsLoopback() {
		for k := range min(254*250, p.job.Fleet.Devices/perSource+1) {
			p.sources = append(p.sources, netip.AddrFrom4([4]byte{127, 0, byte(k / 250), byte(1 + k%250)}))
		}
	}
	return nil
}

// spread deals the classes out.
func (p *plan) spread(classes []product.Class) {
	p.deal, p.dealt = deal(classes), make([]int, len(classes))
	for _, k := range p.deal {
		p.ranks = append(p.ranks, uint16(p.dealt[k]))
		p.dealt[k]++
	}
}

// members is how many devices of the whole fleet are of a class.
func (p *plan) members(class int) int {
	n := p.job.Fleet.Devices
	out := n / len(p.deal) * p.dealt[class]
	for _, k := range p.deal[:n%len(p.deal)] {
		if int(k) == class {
			out++
		}
	}
	return out
}

// deal spreads classes over devices by their shares, evenly mixed, in a pattern of at most 1000.
func deal(classes []product.Class) []uint16 {
	const size = 1000
	if len(classes) == 1 {
		return []uint16{0}
	}
	order := make([]uint16, 0, size)
	owed := make([]float64, len(classes))
	for range size {
		most := 0
		for k, c := range classes {
			owed[k] += c.Share
			if owed[k] > owed[most] {
				most = k
			}
		}
		owed[most]--
		order = append(order, uint16(most))
	}
	return order
}

// after is when a stream's next message is due: when as much has been gone through as one message takes, at rates that change.
func (p *plan) after(w *post, due int64, r *rand.Rand) int64 {
	left := float64(w.every)
	if w.poisson {
		left *= r.ExpFloat64()
	}
	at := time.Duration(due)
	for at < p.length {
		rate, until := p.course.rate(at)
		if n := len(w.day); n > 0 {
			hour := min(n-1, int(at*time.Duration(n)/p.length))
			rate *= w.day[hour]
			until = min(until, max(at+1, p.length*time.Duration(hour+1)/time.Duration(n)))
		}
		if takes := left / rate; rate > 0 && takes <= float64(until-at) {
			return int64(at) + max(1, int64(takes))
		}
		left -= rate * float64(until-at)
		at = until
	}
	return int64(forever)
}
