package fleet

import (
	"crypto/x509"
	"io"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

// Target is the endpoint that a fleet speaks to.
type Target struct {
	Scheme product.Protocol // mqtt, mqtts, ws, wss, coap, coaps, http or https
	Host   string           // host:port
	Path   string           // of ws, wss, http and https: with its slash
	Name   string           // that its certificate must have; default: the host of Host
	Roots  *x509.CertPool   `json:"-"` // nil: the machine's
	CA     []byte           // PEM that Roots is made of, for another process
	API    string           // before the paths of calls, without a slash at its end; default: the endpoint, where that is HTTP
}

// Job is a fleet, or a share of one, in front of a target.
type Job struct {
	Target Target
	Fleet  *product.Fleet
	From   int // the first device of this share, by its number
	To     int // the one after the last
	Shape  string
	For    time.Duration   // from its start on; then what is under way may arrive for Drain
	Stop   <-chan struct{} `json:"-"` // closed: its time is over; nil: it is when For has passed
	Drain  time.Duration   // default 5 s
	Again  bool            // each device makes its provisioning calls twice, as if the first answers had been lost
	Settle time.Duration   // the drain ends when for so long nothing is missing that was sent; default: it takes its whole time
	Speed  float64         // of the target's clock: so much faster does a keep-alive pass; default 1
	Seed   uint64
	Run    uint32 // number of the run in the stamps, so that messages of another run are told apart; zero: drawn

	Notice string // with what payloads of messages for all devices begin, and behind it their number as one byte from 0 to 31; none: there are none

	Begin time.Duration // this share begins so long after the run: it takes over from one that was lost
	Seq   uint32        // number of the first message of each stream
	Skew  time.Duration // what is added to this machine's clock in stamps, so that they agree with those of other machines

	Open      func(name string) (io.ReadCloser, error) `json:"-"` // opens the files of identities; nil: those of this machine
	Sources   []netip.Addr                             // to connect from, in turn; none: see product.Fleet
	Watch     bool                                     // this share runs the operator: the subscriber and the sender of commands
	Goroutine bool                                     // the portable path, with a goroutine for each connection, also where an event loop can be had
}
