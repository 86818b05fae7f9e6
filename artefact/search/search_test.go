package search

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

type hit struct{ id, at int }

func hits(s *Searcher, data []byte) (list []hit) {
	s.Each(data, func(id, at int) { list = append(list, hit{id, at}) })
	slices.SortFunc(list, func(a, b hit) int { return (a.at-b.at)*1000 + a.id - b.id })
	return list
}

// naive is what a searcher must find.
func naive(patterns []Pattern, data []byte) (list []hit) {
	for at := range data {
		for _, p := range patterns {
			if at+len(p.Bytes) > len(data) {
				continue
			}
			if got := string(data[at : at+len(p.Bytes)]); got == p.Bytes || p.Fold && strings.EqualFold(got, p.Bytes) && ascii(got) {
				list = append(list, hit{p.ID, at})
			}
		}
	}
	return list
}

func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }

func TestEach(t *testing.T) {
	patterns := []Pattern{
		{Bytes: "ghp_", ID: 1},
		{Bytes: "password", Fold: true, ID: 2},
		{Bytes: "AKIA", ID: 3},
		{Bytes: Wide("ghp_"), ID: 4},
		{Bytes: "\x02\x01\x00\x02", ID: 5},
		{Bytes: "word=", ID: 6},
	}
	s := New(patterns)
	for _, data := range []string{
		"", "ghp", "ghp_", "xghp_", "GHP_ ghp_", "PassWord=password", "password\x00AKIAKIA", "g\x00h\x00p\x00_\x00",
		strings.Repeat("x", 4093) + "ghp_", "\x30\x82\x01\x02\x02\x01\x00\x02\x41", "akia passwor", "p\x1assword",
	} {
		if got, want := hits(s, []byte(data)), naive(patterns, []byte(data)); !slices.Equal(got, want) {
			t.Errorf("in %q: %v, want %v", data, got, want)
		}
	}
}

func TestEachAgainstNaive(t *testing.T) {
	patterns := []Pattern{{Bytes: "abab", ID: 1}, {Bytes: "BABA", Fold: true, ID: 2}, {Bytes: "aabba", ID: 3}}
	s := New(patterns)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		data := make([]byte, r.IntN(200))
		for i := range data {
			data[i] = "abABx"[r.IntN(5)]
		}
		if got, want := hits(s, data), naive(patterns, data); !slices.Equal(got, want) {
			t.Fatalf("in %q: %v, want %v", data, got, want)
		}
	}
}

func TestWide(t *testing.T) {
	if got := Narrow([]byte(Wide("ghp_x") + "\xe4\x00\x00\x20")); string(got) != "ghp_x??" {
		t.Errorf("narrow: %q", got)
	}
	if !bytes.Equal(Narrow([]byte("a")), nil) {
		t.Error("half a character is one")
	}
}
