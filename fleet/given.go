package fleet

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
)

// renamed reports whether a device has another name with the values that it was given now than with the first.
func (s *shard) renamed(i int32, first, now []string) bool {
	who := s.classOf(i).who
	name := func(values []string) string {
		v := s.vars(s.number(i))
		v.Values = values
		v.ID = string(who.id.Append(nil, &v))
		return string(who.given.Append(nil, &v))
	}
	return who.given != nil && who.named && name(first) != name(now)
}

// doubles reports whether another device was given the same identity: the id, if that is given, or else the user or the token.
func (p *plan) doubles(c *class, number int) bool {
	t := c.who.given
	if t == nil {
		return false
	}
	v := p.vars(number)
	sum := fnv.New64a()
	_, _ = sum.Write(t.Append(nil, &v))
	p.identities.Lock()
	defer p.identities.Unlock()
	return p.identities.seen.Doubles(sum.Sum64())
}

// Given are the identities that provisioning gave, by their hashes: of a million, two that differ have the same once in some ten million runs.
type Given map[uint64]struct{}

// Doubles adds one, and reports whether it was there.
func (g Given) Doubles(identity uint64) bool {
	_, is := g[identity]
	g[identity] = struct{}{}
	return is
}

// MarshalBinary writes them, with eight bytes for each.
func (g Given) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, 8*len(g))
	for identity := range g {
		b = binary.BigEndian.AppendUint64(b, identity)
	}
	return b, nil
}

// Merge adds those that another share wrote, and counts those that were there: devices of two shares were given the same.
func (g Given) Merge(b []byte) (doubled int, err error) {
	if len(b)%8 != 0 {
		return 0, fmt.Errorf("read the identities that were given: %d bytes", len(b))
	}
	for ; len(b) > 0; b = b[8:] {
		if g.Doubles(binary.BigEndian.Uint64(b)) {
			doubled++
		}
	}
	return doubled, nil
}
