package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// store keeps the state in two files that are written in turn, each with a checksum and a running number. A power cut in the
// middle of a write costs the newest copy at most; the other one is whole.
type store struct {
	dir        string
	generation uint64
}

// load reads the newest whole copy into v and reports whether there was one.
func (s *store) load(v any) bool {
	var newest []byte
	s.generation = 0
	for _, name := range []string{"state.a", "state.b"} {
		generation, body, err := readCopy(filepath.Join(s.dir, name))
		if err == nil && generation > s.generation {
			s.generation, newest = generation, body
		}
	}
	return newest != nil && json.Unmarshal(newest, v) == nil
}

func readCopy(path string) (generation uint64, body []byte, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, nil, fmt.Errorf("read state: %w", err)
	}
	head, body, _ := bytes.Cut(data, []byte("\n"))
	var sum uint32
	if _, err := fmt.Sscanf(string(head), "%08x %d", &sum, &generation); err != nil {
		return 0, nil, fmt.Errorf("read head of state: %w", err)
	}
	if sum != crc32.ChecksumIEEE(body) {
		return 0, nil, errors.New("state is damaged")
	}
	return generation, body, nil
}

// save writes v as the newest copy.
func (s *store) save(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	s.generation++
	name := []string{"state.a", "state.b"}[s.generation%2]
	data := append(fmt.Appendf(nil, "%08x %d\n", crc32.ChecksumIEEE(body), s.generation), body...)
	return replaceFile(filepath.Join(s.dir, name), data)
}

// replaceFile makes path hold data: the old content stays whole until the new one is written. It is not synced: the power that is cut
// here is the device's, not the machine's, and a busy disk would stall a device whose time runs faster.
func replaceFile(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}
