package coap

import "strings"

// Get returns the value of the first option of a number.
func (m *Message) Get(id OptionID) (value []byte, ok bool) {
	for _, o := range m.Options {
		if o.ID == id {
			return o.Value, true
		}
	}
	return nil, false
}

// Uint returns the first option of a number as an unsigned integer; what is longer than 4 bytes does not count.
func (m *Message) Uint(id OptionID) (n uint32, ok bool) {
	b, ok := m.Get(id)
	if !ok || len(b) > 4 {
		return 0, false
	}
	return number(b), true
}

func number(b []byte) (n uint32) {
	for _, c := range b {
		n = n<<8 | uint32(c)
	}
	return n
}

// Add appends an option; Bytes puts it in its place.
func (m *Message) Add(id OptionID, value []byte) *Message {
	m.Options = append(m.Options, Option{id, value})
	return m
}

// AddUint appends an unsigned integer in as few bytes as it needs, which is none for 0 (RFC 7252 section 3.2).
func (m *Message) AddUint(id OptionID, n uint32) *Message { return m.Add(id, shortest(n)) }

func shortest(n uint32) []byte {
	var b []byte
	for ; n > 0; n >>= 8 {
		b = append([]byte{byte(n)}, b...)
	}
	return b
}

// Remove takes all options of a number away.
func (m *Message) Remove(id OptionID) *Message {
	var kept []Option
	for _, o := range m.Options {
		if o.ID != id {
			kept = append(kept, o)
		}
	}
	m.Options = kept
	return m
}

// SetPath replaces Uri-Path and Uri-Query by those of a path such as "/a/b?c=d".
func (m *Message) SetPath(path string) *Message {
	m.Remove(URIPath).Remove(URIQuery)
	path, query, _ := strings.Cut(path, "?")
	for _, word := range strings.Split(strings.Trim(path, "/"), "/") {
		if word != "" {
			m.Add(URIPath, []byte(word))
		}
	}
	for _, word := range strings.Split(query, "&") {
		if word != "" {
			m.Add(URIQuery, []byte(word))
		}
	}
	return m
}

// Path is Uri-Path with a slash before each part, "/" when there is none.
func (m *Message) Path() string {
	path := ""
	for _, o := range m.Options {
		if o.ID == URIPath {
			path += "/" + string(o.Value)
		}
	}
	if path == "" {
		return "/"
	}
	return path
}

// Queries are the values of Uri-Query.
func (m *Message) Queries() []string {
	var all []string
	for _, o := range m.Options {
		if o.ID == URIQuery {
			all = append(all, string(o.Value))
		}
	}
	return all
}

// Clone is a copy that shares no memory.
func (m *Message) Clone() *Message {
	own := *m
	own.Token = append([]byte(nil), m.Token...)
	own.Payload = append([]byte(nil), m.Payload...)
	own.Options = make([]Option, len(m.Options))
	for i, o := range m.Options {
		own.Options[i] = Option{o.ID, append([]byte(nil), o.Value...)}
	}
	return &own
}
