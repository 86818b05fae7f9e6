package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// player plays the fleets of swarm: it shows what they measure while they run, and writes all of it into the run folder.
type player struct {
	app    *app
	server *http.Server // nil: nobody wants to see the figures
	ended  chan struct{}
	live   atomic.Pointer[series.Collector]
	plays  atomic.Int64
	shared *shared         // who else plays
	stop   <-chan struct{} // closed when the user has seen enough
}

// newPlayer makes one that serves the figures in the text format of Prometheus, where an address for them is given.
func (a *app) newPlayer(f swarmFlags, stop <-chan struct{}) (*player, error) {
	p := &player{app: a, stop: stop}
	var err error
	if p.shared, err = a.newShared(f); err != nil {
		return nil, err
	}
	address := f.metrics
	if address == "" {
		return p, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		p.shared.close()
		return nil, usage(fmt.Errorf("serve the figures at %s: %w\nhint: choose an address of this machine with --metrics, such as 127.0.0.1:9100", address, err))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", p.write)
	p.server, p.ended = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, make(chan struct{})
	go func() {
		defer close(p.ended)
		_ = p.server.Serve(l)
	}()
	a.note("figures are at http://%s/metrics", l.Addr())
	return p, nil
}

func (p *player) close() {
	p.shared.close()
	if p.server != nil {
		p.server.Close()
		<-p.ended
	}
}

// play plays a fleet.
func (p *player) play(ctx context.Context, job fleet.Job, watch func(*series.Collector)) (*series.Record, error) {
	job.Stop = p.stop
	r, err := p.shared.play(ctx, job, func(c *series.Collector) {
		p.live.Store(c)
		if watch != nil {
			watch(c)
		}
	})
	if err != nil {
		return nil, err
	}
	return r, p.keep(r)
}

// keep writes all series into the run folder: series.csv and series.json, and series-2.csv for the second fleet.
func (p *player) keep(r *series.Record) error {
	p.app.mu.Lock()
	dir := p.app.folder
	p.app.mu.Unlock()
	name := "series"
	if n := p.plays.Add(1); n > 1 {
		name = fmt.Sprintf("series-%d", n)
	}
	for ending, write := range map[string]func(io.Writer) error{".csv": r.CSV, ".json": r.JSON} {
		f, err := os.Create(filepath.Join(dir, name+ending))
		if err != nil {
			return fmt.Errorf("write the series: %w", err)
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("write the series: %w", err)
		}
	}
	return nil
}

func (p *player) write(w http.ResponseWriter, _ *http.Request) {
	c := p.live.Load()
	if c == nil {
		http.Error(w, "no fleet has begun yet", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_ = c.Recent().Prometheus(w)
}
