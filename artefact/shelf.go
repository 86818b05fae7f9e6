package artefact

import (
	"context"
	"errors"
	"sync"
)

// Shelf keeps the facts of artefacts, so that each is opened once however many checks judge it. The zero Shelf is empty.
type Shelf struct {
	mu    sync.Mutex
	facts map[string]func() (*Facts, error)
}

// Facts gives the facts of the artefact with that key, which source opens if nobody did before. They belong to the shelf.
func (s *Shelf) Facts(ctx context.Context, key string, source func() (Source, error)) (*Facts, error) {
	s.mu.Lock()
	once, ok := s.facts[key]
	if !ok {
		once = sync.OnceValues(func() (*Facts, error) {
			src, err := source()
			if err != nil {
				return nil, err
			}
			return Examine(ctx, src)
		})
		if s.facts == nil {
			s.facts = map[string]func() (*Facts, error){}
		}
		s.facts[key] = once
	}
	s.mu.Unlock()
	return once()
}

// Close frees all of them.
func (s *Shelf) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed []error
	for _, once := range s.facts {
		if f, err := once(); err == nil {
			failed = append(failed, f.Close())
		}
	}
	s.facts = nil
	return errors.Join(failed...)
}
