package origin

import (
	"hash/crc32"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// Resource is what the server has under a path.
type Resource struct {
	Handle     func(p *Peer, req *coap.Message, body []byte) Response
	Observable bool
}

// Response is what a resource answers; the server cuts the body into blocks.
type Response struct {
	Code    coap.Code
	Body    []byte
	Format  int // content format; -1: none
	ETag    []byte
	Options []coap.Option // further ones
}

// Serve puts a resource under a path such as "/telemetry".
func (s *Server) Serve(path string, r Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources[path] = &r
}

// Sink is a resource that takes whatever is posted or put.
func Sink() Resource {
	return Resource{Handle: func(_ *Peer, req *coap.Message, _ []byte) Response {
		if req.Code == coap.POST || req.Code == coap.PUT {
			return Response{Code: coap.Changed, Format: -1}
		}
		return Response{Code: coap.MethodNotAllowed, Format: -1}
	}}
}

// Put makes body what a path holds, for GET and for observers, who are told. The options are added to responses.
func (s *Server) Put(path string, body []byte, format int, options ...coap.Option) {
	s.Set(path, body, format, options...)
	s.Notify(path)
}

// Set is Put without a word to observers.
func (s *Server) Set(path string, body []byte, format int, options ...coap.Option) {
	etag := crc32.ChecksumIEEE(body)
	s.Serve(path, Resource{Observable: true, Handle: func(_ *Peer, req *coap.Message, _ []byte) Response {
		if req.Code != coap.GET {
			return Response{Code: coap.MethodNotAllowed, Format: -1}
		}
		return Response{Code: coap.Content, Body: body, Format: format, ETag: []byte{byte(etag >> 24), byte(etag >> 16), byte(etag >> 8), byte(etag)}, Options: options}
	}})
}

// request answers a request, once for each message id.
func (s *Server) request(p *Peer, req *coap.Message) {
	if req.Type == coap.CON {
		s.mu.Lock()
		a, again := p.answers[req.ID]
		if again = again && s.o.Clock.Since(a.at) < exchangeLifetime; !again {
			p.answers[req.ID] = answer{at: s.o.Clock.Now()}
			if p.recent = append(p.recent, req.ID); len(p.recent) > maxAnswers {
				delete(p.answers, p.recent[0])
				p.recent = p.recent[1:]
			}
		}
		s.mu.Unlock()
		if again {
			if a.m != nil {
				p.Send(a.m)
			}
			return
		}
	}
	m := s.respond(p, req)
	if req.Type == coap.CON {
		s.mu.Lock()
		p.answers[req.ID] = answer{m: m, at: s.o.Clock.Now()}
		s.mu.Unlock()
	}
	p.Send(m)
}

// respond makes the response of a request: piggybacked on the acknowledgement of a CON.
func (s *Server) respond(p *Peer, req *coap.Message) *coap.Message {
	m := &coap.Message{Type: coap.ACK, ID: req.ID, Token: req.Token}
	if req.Type != coap.CON {
		m.Type, m.ID = coap.NON, p.NextID()
	}
	for _, o := range req.Options {
		if o.ID.Critical() && !o.ID.Known() {
			m.Code = coap.BadOption
			return m
		}
	}
	s.mu.Lock()
	r := s.resources[req.Path()]
	s.mu.Unlock()
	if r == nil {
		m.Code = coap.NotFound
		return m
	}
	body, done := p.gather(req, m)
	if done {
		return m
	}
	answer := r.Handle(p, req, body)
	s.fill(m, req, answer)
	if b, ok := req.Block(coap.Block1); ok {
		m.SetBlock(coap.Block1, b)
	}
	if r.Observable && req.Code == coap.GET && m.Code.Class() == 2 {
		s.observe(p, req, m)
	}
	return m
}

// fill puts an answer into a message, by blocks where it is large or the request asks for them.
func (s *Server) fill(m, req *coap.Message, a Response) {
	m.Code, m.Options = a.Code, append(m.Options, a.Options...)
	if a.Format >= 0 {
		m.AddUint(coap.ContentFormat, uint32(a.Format))
	}
	if len(a.ETag) > 0 {
		m.Add(coap.ETag, a.ETag)
	}
	s.mu.Lock()
	block := coap.Block{SZX: coap.SZX(s.blockSize)}
	s.mu.Unlock()
	asked, ok := coap.Block{}, false
	if req != nil {
		asked, ok = req.Block(coap.Block2)
	}
	if ok && asked.SZX <= block.SZX {
		block = asked
	} else if ok { // the block that holds what was asked for
		block.Num = uint32(asked.Offset() / block.Size())
	}
	if !ok && len(a.Body) <= block.Size() {
		m.Payload = a.Body
		return
	}
	if block.Offset() >= len(a.Body) && block.Num > 0 {
		m.Code, m.Options = coap.BadOption, nil
		return
	}
	end := min(block.Offset()+block.Size(), len(a.Body))
	block.More = end < len(a.Body)
	m.Payload = a.Body[block.Offset():end]
	m.SetBlock(coap.Block2, block)
	if block.Num == 0 {
		m.AddUint(coap.Size2, uint32(len(a.Body)))
	}
}

// upload is a body that comes in blocks.
type upload struct {
	path string
	body []byte
}

// gather puts the body of a request together. It reports true when m is to be sent as it is: the body is not complete.
func (p *Peer) gather(req, m *coap.Message) (body []byte, done bool) {
	b, ok := req.Block(coap.Block1)
	if !ok {
		return req.Payload, false
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	switch {
	case b.Num == 0:
		p.upload = upload{path: req.Path()}
	case p.upload.path != req.Path() || b.Offset() != len(p.upload.body):
		m.Code = coap.RequestIncomplete
		return nil, true
	}
	if b.More && len(req.Payload) != b.Size() {
		m.Code = coap.BadRequest
		return nil, true
	}
	if len(p.upload.body)+len(req.Payload) > maxBody {
		m.Code = coap.RequestTooLarge
		return nil, true
	}
	p.upload.body = append(p.upload.body, req.Payload...)
	if b.More {
		m.Code = coap.Continue
		m.SetBlock(coap.Block1, b)
		return nil, true
	}
	return p.upload.body, false
}
