package http1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Field is one line of a head or of trailers.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Fields are those of one message, in their order.
type Fields []Field

// Get is the value of the first field of a name, in any case; empty when there is none.
func (fs Fields) Get(name string) string {
	for _, f := range fs {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Count is how many fields have the name.
func (fs Fields) Count(name string) int {
	n := 0
	for _, f := range fs {
		if strings.EqualFold(f.Name, name) {
			n++
		}
	}
	return n
}

// Names are those of the fields, as they were written.
func (fs Fields) Names() []string {
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = f.Name
	}
	return names
}

// Request is a whole request.
type Request struct {
	Method string
	Target string // as in the request line: a path with its query, a whole URL to a proxy, host:port of CONNECT
	Proto  string // HTTP/1.0 or HTTP/1.1
	Fields Fields
	Body   []byte
	Size   int // bytes on the wire
}

// Host is the Host field, or the authority of a target that is a whole URL or that of CONNECT.
func (r *Request) Host() string {
	if _, rest, ok := strings.Cut(r.Target, "://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		return host
	}
	if r.Method == "CONNECT" {
		return r.Target
	}
	return r.Fields.Get("Host")
}

// Path is the path of the target without scheme, host, query and fragment.
func (r *Request) Path() string {
	target := r.Target
	if _, rest, ok := strings.Cut(target, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		target = "/" + path
	}
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	return target
}

// Closes reports whether the client means to end the connection after the answer (RFC 9112 section 9.6).
func (r *Request) Closes() bool {
	said := strings.ToLower(r.Fields.Get("Connection"))
	if r.Proto == "HTTP/1.0" {
		return !strings.Contains(said, "keep-alive")
	}
	return strings.Contains(said, "close")
}

// Limits bound what is read. Zero values mean the defaults beside them.
type Limits struct {
	Line   int // bytes of the request line or of one field: 16 KiB
	Head   int // bytes of the whole head: 64 KiB
	Fields int // number: 200
	Body   int // bytes: 1 MiB
}

func (l Limits) withDefaults() Limits {
	for _, v := range []struct {
		of *int
		or int
	}{{&l.Line, 16 << 10}, {&l.Head, 64 << 10}, {&l.Fields, 200}, {&l.Body, 1 << 20}} {
		if *v.of <= 0 {
			*v.of = v.or
		}
	}
	return l
}

// Error says what is wrong with a request, and which status answers it.
type Error struct {
	Reason string
	Status int
}

func (e *Error) Error() string { return e.Reason }

func bad(format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...), Status: 400}
}

// ReadRequest reads a request with its body. The error is io.EOF when the connection ended before its first byte, an *Error when the
// bytes are no request or exceed the limits, and else that of the connection.
func ReadRequest(r *bufio.Reader, limits Limits) (*Request, error) {
	in := &reader{r: r, limits: limits.withDefaults()}
	q, err := in.request()
	if err != nil {
		if errors.Is(err, io.EOF) && in.read > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	q.Size = in.read
	return q, nil
}

// reader counts what it takes of a connection.
type reader struct {
	r      *bufio.Reader
	limits Limits
	read   int // bytes
	head   int // of them in lines
}

func (in *reader) request() (*Request, error) {
	line, err := in.line()
	if line == "" && err == nil { // one empty line before a request is passed over (section 2.2)
		line, err = in.line()
	}
	if err != nil {
		return nil, err
	}
	q := &Request{}
	if err := q.start(line); err != nil {
		return nil, err
	}
	if q.Fields, err = in.fields(); err != nil {
		return nil, err
	}
	if n := q.Fields.Count("Host"); q.Proto == "HTTP/1.1" && n != 1 {
		return nil, bad("%d Host fields (RFC 9112 section 3.2)", n)
	}
	q.Body, err = in.body(q.Fields)
	return q, err
}

// start takes the request line apart.
func (q *Request) start(line string) error {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !token(parts[0]) || parts[1] == "" {
		return bad("not a request line: %s", short(line))
	}
	q.Method, q.Target, q.Proto = parts[0], parts[1], parts[2]
	for i := 0; i < len(q.Target); i++ {
		if c := q.Target[i]; c <= ' ' || c >= 0x7f {
			return bad("byte %#02x in the target", c)
		}
	}
	if q.Proto != "HTTP/1.1" && q.Proto != "HTTP/1.0" {
		return &Error{Reason: "version " + short(q.Proto), Status: 505}
	}
	return nil
}

// line reads up to a line feed, which ends a line also without its carriage return (section 2.2).
func (in *reader) line() (string, error) {
	var b []byte
	for {
		c, err := in.r.ReadByte()
		if err != nil {
			return "", err
		}
		in.read++
		in.head++
		switch {
		case c == '\n':
			return strings.TrimSuffix(string(b), "\r"), nil
		case len(b) >= in.limits.Line:
			return "", &Error{Reason: fmt.Sprintf("a line of more than %d bytes", in.limits.Line), Status: 431}
		case in.head > in.limits.Head:
			return "", &Error{Reason: fmt.Sprintf("a head of more than %d bytes", in.limits.Head), Status: 431}
		}
		b = append(b, c)
	}
}

// fields reads up to the empty line.
func (in *reader) fields() (Fields, error) {
	var fs Fields
	for {
		line, err := in.line()
		if err != nil || line == "" {
			return fs, err
		}
		if len(fs) >= in.limits.Fields {
			return nil, &Error{Reason: fmt.Sprintf("more than %d fields", in.limits.Fields), Status: 431}
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !token(name) {
			return nil, bad("not a field: %s", short(line))
		}
		value = strings.Trim(value, " \t")
		for i := 0; i < len(value); i++ {
			if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
				return nil, bad("byte %#02x in the value of %s", c, short(name))
			}
		}
		fs = append(fs, Field{Name: name, Value: value})
	}
}

// body reads what the fields announce (section 6.3).
func (in *reader) body(fs Fields) ([]byte, error) {
	length, coding := fs.Get("Content-Length"), fs.Get("Transfer-Encoding")
	switch {
	case coding != "" && length != "":
		return nil, bad("both Transfer-Encoding and Content-Length (RFC 9112 section 6.3)")
	case fs.Count("Content-Length") > 1:
		return nil, bad("more than one Content-Length")
	case coding != "" && !strings.EqualFold(coding, "chunked"):
		return nil, &Error{Reason: "Transfer-Encoding " + short(coding), Status: 501}
	case coding != "":
		return in.chunks()
	case length == "":
		return nil, nil
	}
	n, err := strconv.ParseUint(length, 10, 62)
	if err != nil || strings.HasPrefix(length, "+") {
		return nil, bad("Content-Length %s", short(length))
	}
	if n > uint64(in.limits.Body) {
		return nil, in.tooLarge()
	}
	return in.take(nil, int(n))
}

func (in *reader) tooLarge() error {
	return &Error{Reason: fmt.Sprintf("a body of more than %d bytes", in.limits.Body), Status: 413}
}

// take appends n bytes to b; the memory grows with what has come, not with what was announced.
func (in *reader) take(b []byte, n int) ([]byte, error) {
	for n > 0 {
		part := make([]byte, min(n, 16<<10))
		got, err := io.ReadFull(in.r, part)
		in.read += got
		b = append(b, part[:got]...)
		if err != nil {
			return b, err
		}
		n -= got
	}
	return b, nil
}

// chunks reads a chunked body with its trailers, which are passed over.
func (in *reader) chunks() ([]byte, error) {
	var b []byte
	for {
		in.head = 0 // each line is bounded; a body is as well
		line, err := in.line()
		if err != nil {
			return b, err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 31)
		switch {
		case err != nil:
			return b, bad("chunk size %s", short(size))
		case n == 0:
			_, err := in.fields()
			return b, err
		case len(b)+int(n) > in.limits.Body || in.read > 8*in.limits.Body+in.limits.Head:
			return b, in.tooLarge()
		}
		if b, err = in.take(b, int(n)); err != nil {
			return b, err
		}
		if end, err := in.line(); err != nil || end != "" {
			if err == nil {
				err = bad("a chunk longer than its size")
			}
			return b, err
		}
	}
}

// token reports whether s is a token of RFC 9110 section 5.6.2.
func token(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// short is s for a message.
func short(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return strconv.Quote(s)
}
