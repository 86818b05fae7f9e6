package origin

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// Connect makes a server a peer to ask, over plain UDP. Nothing is sent yet.
func (s *Server) Connect(to net.Addr) (*Peer, error) {
	p := s.peer(to.String(), to, nil)
	if p == nil {
		return nil, fmt.Errorf("connect to %s: more than %d peers", to, maxPeers)
	}
	return p, nil
}

// Fetch asks for a whole body, block by block where it is large. The message is the last response; each may take up to within.
func (p *Peer) Fetch(ctx context.Context, path string, szx byte, within time.Duration) (*coap.Message, []byte, error) {
	var body []byte
	for num := uint32(0); len(body) <= maxBody; num++ {
		req := (&coap.Message{Code: coap.GET}).SetPath(path)
		if num > 0 || szx <= coap.MaxSZX {
			req.SetBlock(coap.Block2, coap.Block{Num: num, SZX: min(szx, coap.MaxSZX)})
		}
		m, err := p.Request(ctx, req, within)
		if err != nil {
			return nil, body, fmt.Errorf("get %s, block %d: %w", path, num, err)
		}
		b, ok := m.Block(coap.Block2)
		if m.Code != coap.Content {
			return m, body, nil
		}
		if ok && b.Offset() != len(body) {
			return m, body, fmt.Errorf("get %s: block %s in place of number %d", path, b, num)
		}
		body = append(body, m.Payload...)
		if !ok || !b.More {
			return m, body, nil
		}
		szx = b.SZX
	}
	return nil, nil, fmt.Errorf("get %s: more than %d bytes", path, maxBody)
}
