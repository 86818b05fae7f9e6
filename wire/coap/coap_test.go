package coap

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/plgd-dev/go-coap/v3/message"
	udpcoder "github.com/plgd-dev/go-coap/v3/udp/coder"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The figures of RFC 7252 appendix A, and messages in which extended deltas and lengths occur.
var golden = []struct {
	name, hex, text string
	m               Message
}{
	{
		"figure 16: request", "40017d34 bb74656d7065726174757265", "CON GET id=0x7d34 /temperature",
		Message{Type: CON, Code: GET, ID: 0x7d34, Options: []Option{{URIPath, []byte("temperature")}}},
	},
	{
		"figure 16: response", "60457d34 ff32322e332043", "ACK 2.05 id=0x7d34 6 B",
		Message{Type: ACK, Code: Content, ID: 0x7d34, Payload: []byte("22.3 C")},
	},
	{
		"figure 17: request with token", "41017d35 20 bb74656d7065726174757265", "CON GET id=0x7d35 TKN=20 /temperature",
		Message{Type: CON, Code: GET, ID: 0x7d35, Token: []byte{0x20}, Options: []Option{{URIPath, []byte("temperature")}}},
	},
	{"figure 19: reset", "70007d38", "RST Empty id=0x7d38", Message{Type: RST, ID: 0x7d38}},
}

func TestGolden(t *testing.T) {
	for _, row := range golden {
		raw := unhex(t, row.hex)
		m, err := Decode(raw)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if m.String() != row.text {
			t.Errorf("%s: %q, want %q", row.name, m, row.text)
		}
		row.m.Version = 1
		if diff := cmp.Diff(&row.m, m, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if again := m.Bytes(); !bytes.Equal(again, raw) {
			t.Errorf("%s: encoded %x, want %x", row.name, again, raw)
		}
	}
}

func TestFormatErrors(t *testing.T) {
	for _, c := range []struct {
		hex, want string
		offset    int
	}{
		{"", "no complete header", 0},
		{"400100", "no complete header", 3},
		{"00010001", "version 0", 0},
		{"80010001", "version 2", 0},
		{"c0010001", "version 3", 0},
		{"49010001 010203040506070809", "token length 9", 0},
		{"44010001 0102", "cut off", 6},
		{"41000001 01", "empty message has 1 byte", 4},
		{"40210001", "reserved class", 1},
		{"40e10001", "reserved class", 1},
		{"40010001 ff", "payload marker", 4},
		{"40010001 f0", "reserved", 4},
		{"40010001 0f", "reserved", 4},
		{"40010001 d1", "cut off", 5},
		{"40010001 e100", "cut off", 6},
		{"40010001 b5 6162", "past the end", 4},
		{"40010001 e0ffff e0ffff", "above 65535", 4},
	} {
		_, err := Decode(unhex(t, c.hex))
		e, ok := err.(*Error)
		if !ok || !strings.Contains(e.Reason, c.want) || e.Offset != c.offset || e.Section == "" {
			t.Errorf("%s: %v, want %q at %d", c.hex, err, c.want, c.offset)
		}
	}
}

func TestEveryIllegalMessageIsRejected(t *testing.T) {
	m := (&Message{Type: CON, Code: GET, ID: 9, Token: []byte{1, 2}}).SetPath("/a")
	m.Payload = []byte("x")
	for _, w := range Illegal() {
		if got, err := Decode(w.Spoil(m)); err == nil {
			t.Errorf("%s: decodes as %v", w.Name, got)
		}
	}
	if _, err := Decode(m.Bytes()); err != nil {
		t.Errorf("spoiling changed the message: %v", err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		m    *Message
		want string
	}{
		{&Message{Type: RST, Code: Content}, "reset is not empty"},
		{&Message{Type: ACK, Code: GET}, "carries a request"},
		{&Message{Type: NON}, "is empty"},
		{(&Message{Code: GET}).Add(Observe, make([]byte, 4)), "Observe has 4 bytes"},
		{(&Message{Code: GET}).AddUint(Accept, 1).AddUint(Accept, 2), "more than once"},
		{(&Message{Code: Content}).Add(ETag, []byte{1}).Add(ETag, []byte{2}), "more than once"},
		{(&Message{Code: GET}).Add(URIPath, []byte{0xff}), "not UTF-8"},
		{(&Message{Code: GET}).AddUint(Block2, 7), "reserved size"},
	} {
		got := c.m.Faults()
		if len(got) != 1 || !strings.Contains(got[0].Reason, c.want) {
			t.Errorf("%v: %v, want %q", c.m, got, c.want)
		}
	}
	good := (&Message{Code: GET}).Add(ETag, []byte{1}).Add(ETag, []byte{2}).SetPath("/a/b?c=d&e")
	if got := good.Faults(); len(got) != 0 || good.Path() != "/a/b" || len(good.Queries()) != 2 {
		t.Errorf("%v: %v", good, got)
	}
}

func TestBlocks(t *testing.T) {
	m := (&Message{}).SetBlock(Block2, Block{Num: 5, More: true, SZX: 2})
	if b, ok := m.Block(Block2); !ok || b.String() != "5/1/64" || b.Offset() != 320 {
		t.Errorf("%v %v", b, ok)
	}
	for size, want := range map[int]byte{16: 0, 31: 0, 32: 1, 64: 2, 1000: 5, 1024: 6, 5000: 6} {
		if got := SZX(size); got != want {
			t.Errorf("SZX(%d) = %d, want %d", size, got, want)
		}
	}
}

func TestFresher(t *testing.T) {
	at := time.Unix(1000, 0)
	for _, c := range []struct {
		v1, v2 uint32
		later  time.Duration
		want   bool
	}{
		{1, 2, 0, true},
		{2, 1, 0, false},
		{2, 2, 0, false},
		{1<<24 - 1, 0, 0, true},
		{0, 1<<24 - 1, 0, false},
		{9, 3, 127 * time.Second, false},
		{9, 3, 129 * time.Second, true},
	} {
		if got := Fresher(c.v1, at, c.v2, at.Add(c.later)); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestJSON(t *testing.T) {
	m := (&Message{Type: CON, Code: PUT, ID: 7, Token: []byte{1}, Payload: bytes.Repeat([]byte("ab"), 200)}).SetPath("/x").AddUint(MaxAge, 60)
	got, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"CON","code":"PUT","id":7,"tkn":"01","options":[{"name":"Uri-Path","id":11,"value":"x"},{"name":"Max-Age","id":14,"value":"60"}],"payload":"` +
		strings.Repeat("ab", 128) + `","payload_size":400}`
	if string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// FuzzDecode: nothing panics, strict and lenient agree, what decodes survives a round trip, and go-coap reads the same out of it.
func FuzzDecode(f *testing.F) {
	for _, row := range golden {
		f.Add(unhex(f, row.hex))
	}
	for _, w := range Illegal() {
		f.Add(w.Spoil((&Message{Code: GET, ID: 1, Token: []byte{1}}).SetPath("/a")))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Decode(raw)
		lenient, faults := DecodeLenient(raw)
		if (err == nil) != (len(faults) == 0) || lenient == nil && len(raw) >= 4 {
			t.Fatalf("strict says %v, lenient %v", err, faults)
		}
		for _, e := range faults {
			if e.Offset < 0 || e.Offset > len(raw) || e.Reason == "" || e.Section == "" {
				t.Fatalf("bad fault %#v", e)
			}
		}
		if lenient != nil {
			_, _, _ = lenient.String(), lenient.Bytes(), lenient.Faults()
			if _, err := json.Marshal(lenient); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			return
		}
		again, err := Decode(m.Bytes())
		if err != nil {
			t.Fatalf("decode of the encoded message: %v", err)
		}
		if !bytes.Equal(m.Bytes(), again.Bytes()) || m.String() != again.String() {
			t.Fatalf("round trip: %v, then %v", m, again)
		}
		compare(t, raw, m)
	})
}

// compare holds a message against what go-coap reads, which rejects more than the standard does.
func compare(t *testing.T, raw []byte, m *Message) {
	other := message.Message{Options: make(message.Options, 0, MaxOptions)}
	if _, err := udpcoder.DefaultCoder.Decode(raw, &other); err != nil {
		return
	}
	if int32(m.ID) != other.MessageID || !bytes.Equal(m.Token, other.Token) || byte(m.Code) != byte(other.Code) || !bytes.Equal(other.Payload, m.Payload) {
		t.Fatalf("go-coap reads %v", other)
	}
}
