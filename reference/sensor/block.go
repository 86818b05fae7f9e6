package sensor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// blockSZX is the block size that the sensor asks for: 128 bytes.
const blockSZX = 3

// maxRestarts is how often a transfer may begin anew before it is put off.
const maxRestarts = 3

// fetch is a body that comes in blocks (RFC 7959).
type fetch struct {
	path     string
	body     []byte
	etag     []byte
	szx      byte
	restarts int
}

// block asks for the next block.
func (s *Sensor) block(k kind, f *fetch) {
	if len(f.body) == 0 {
		f.szx = blockSZX
	}
	m := (&coap.Message{Code: coap.GET}).SetPath(f.path)
	m.SetBlock(coap.Block2, coap.Block{Num: uint32(len(f.body) / (16 << f.szx)), SZX: f.szx})
	s.ask(&request{m: m, kind: k})
}

// take adds a block to a body. It reports whether the body is complete; an error says why the transfer has to begin anew.
func (s *Sensor) take(f *fetch, m *coap.Message) (complete bool, err error) {
	b, blocks := m.Block(coap.Block2)
	etag, _ := m.Get(coap.ETag)
	switch {
	case m.Code != coap.Content:
		return false, fmt.Errorf("answered %s", m.Code)
	case !blocks && len(f.body) > 0 || blocks && b.Offset() != len(f.body):
		return false, fmt.Errorf("block %s does not follow %d bytes", b, len(f.body))
	case len(f.body) > 0 && !bytes.Equal(etag, f.etag) && !s.has("coap-block-mixed"):
		return false, fmt.Errorf("it changed on the way")
	case blocks && b.More && len(m.Payload) != b.Size():
		return false, fmt.Errorf("block %s has %d bytes", b, len(m.Payload))
	case len(f.body)+len(m.Payload) > bodyMax:
		return false, fmt.Errorf("more than %d bytes", bodyMax)
	}
	f.body, f.etag, f.szx = append(f.body, m.Payload...), bytes.Clone(etag), b.SZX
	return !blocks || !b.More || s.has("coap-block-first-only"), nil
}

// configBlock goes on with the configuration.
func (s *Sensor) configBlock(m *coap.Message) {
	f := s.fetch
	complete, err := s.take(f, m)
	switch {
	case err != nil && f.restarts < maxRestarts && m.Code != coap.NotFound:
		s.say("configuration begins anew: %v", err)
		s.fetch = &fetch{path: f.path, restarts: f.restarts + 1}
		s.block(config, s.fetch)
	case err != nil:
		s.say("configuration not taken: %v", err)
		s.fetch, s.fetchAt = nil, s.up+fetchRetry
	case complete:
		s.fetch, s.fetchAt = nil, never
		s.configure(f.body)
	default:
		s.block(config, f)
	}
}

// configure puts a configuration in force.
func (s *Sensor) configure(body []byte) {
	if !json.Valid(body) && !s.has("coap-block-mixed") && !s.has("coap-block-first-only") {
		s.say("configuration refused: not JSON")
		s.fetchAt = s.up + fetchRetry
		return
	}
	s.set.Config = fmt.Sprintf("%08x", crc32.ChecksumIEEE(body))
	s.save()
	s.say("configuration %s, %d bytes", s.set.Config, len(body))
}
