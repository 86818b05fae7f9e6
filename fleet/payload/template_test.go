package payload

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/product"
)

var vars = Vars{
	Class: "meter", ID: `d"1`, N: 7, Child: 3, Time: 1_764_140_852_123_456, Seed: 5, Values: []string{"Zürich\n", "12.5"},
	Stamp: Stamp{Run: 1, Source: 2, Seq: 42, Tenant: 9, Due: 1_764_140_852_123_456},
}

const stampText = "~sd~AAAAAQAAAAIAAAAqAAAACQZEegzTF0AVn-OP"

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		text, encoding string
		size           int
		want           string
	}{
		{"shakedown/{id}/{n:06}/{tenant}/{child:02}/{class}", Bytes, 0, `shakedown/d"1/000007/9/03/meter`},
		{`{"id":"{id}","n":{n},"q":{seq},"t":{time},"m":{millis}}`, JSON, 0, `{"id":"d\"1","n":7,"q":42,"t":1764140852.123,"m":1764140852123}`},
		{` { "a" : [ true, null, -1.5e3, "\u00e9{n:03}" ] }`, "", 0, ` { "a" : [ true, null, -1.5e3, "\u00e9007" ] }`},
		{`{"site":"{site}","x":{x}}`, JSON, 0, `{"site":"Zürich\u000a","x":12.5}`},
		{`{site}`, "", 0, "Zürich\n"},
		{`{ramp:0:100:10s} {ramp:-1.00:1.00:10s} {ramp:5:6:1h}`, Bytes, 0, "21 -0.58 5"},
		{`{"s":"{stamp}"}`, JSON, 0, `{"s":"` + stampText + `"}`},
		{`{"f":"{fill}","n":{n}}`, JSON, 24, `{"f":"abcdefghij","n":7}`},
		{`{fill}`, Bytes, 70, filling + "abcdef"},
		{"offline", "", 0, "offline"},
		{"", "", 0, ""},
		{"{$x} {} { n } {,", "", 0, "{$x} {} { n } {,"},
	} {
		tmpl, err := Compile(c.text, c.encoding, c.size, "site", "x")
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got := string(tmpl.Append([]byte("before "), &vars))
		if got != "before "+c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
		if tmpl.Counts() != strings.Contains(c.text, "{stamp}") || tmpl.Constant() != (c.text == c.want) {
			t.Errorf("%s: counts %v, constant %v", c.text, tmpl.Counts(), tmpl.Constant())
		}
		if got = got[len("before "):]; product.EncodingOf(c.text) == JSON && !json.Valid([]byte(got)) {
			t.Errorf("%s is not JSON", got)
		}
	}
}

func TestRandom(t *testing.T) {
	tmpl, err := Compile("{random:-2:2} {random:0.0:0.1}", Bytes, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seq := range uint32(1000) {
		v := Vars{Stamp: Stamp{Seq: seq}}
		got := string(tmpl.Append(nil, &v))
		if again := string(tmpl.Append(nil, &v)); again != got {
			t.Errorf("%s, then %s", got, again)
		}
		seen[got]++
	}
	if len(seen) != 10 {
		t.Errorf("drew %v", seen)
	}
	for got, times := range seen {
		if times < 50 || times > 200 {
			t.Errorf("%s %d times in 1000", got, times)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		text, encoding string
		size           int
		want           string
	}{
		{"{nothing}", "", 0, "unknown placeholder {nothing}"},
		{"{id", "", 0, "the brace of {id is not closed"},
		{"{id:3}", "", 0, "{id:3} is not written as it should be"},
		{"{n:0}", "", 0, "{n:0} is not written"},
		{"{n:99}", "", 0, "{n:99} is not written"},
		{"{ramp:1:2}", "", 0, "is not written"},
		{"{ramp:2:1:10s}", "", 0, "is not written"},
		{"{ramp:1:2:0s}", "", 0, "is not written"},
		{"{random:1.1234567:2}", "", 0, "is not written"},
		{"{random:1:}", "", 0, "is not written"},
		{"x", "xml", 0, `unknown encoding "xml"`},
		{`{"a":{id}}`, JSON, 0, "{id} is text: put it in quotes"},
		{`{"a":{n:06}}`, JSON, 0, "put {n:06} in quotes"},
		{`{"a":1{n}}`, JSON, 0, `not JSON: "{n}}" where the end of the number should be`},
		{`{"a":-{n}}`, JSON, 0, "a digit"},
		{`{"a":01}`, JSON, 0, "the end of the number"},
		{`{"a":1,}`, JSON, 0, "a key in quotes"},
		{`{"a" 1}`, JSON, 0, "a colon"},
		{`["a" 1]`, JSON, 0, "a comma or ]"},
		{`["a`, JSON, 0, "ends where the closing quote should be"},
		{"[\"\n\"]", JSON, 0, "an escape"},
		{`["\ud800"]`, JSON, 0, "an escape"},
		{`[1] x`, JSON, 0, "the end of the payload"},
		{"", JSON, 0, "ends where a value should be"},
		{strings.Repeat("[", 40), JSON, 0, "nested more than 32 deep"},
		{"{fill}", "", 0, "without a size"},
		{"x", "", 5, "without {fill}"},
		{"{fill}{fill}", "", 5, "2 times"},
		{"12345678{fill}", "", 5, "at least 8 bytes"},
		{"x{fill}", "", MaxSize + 1, "0 to 262144"},
		{`{"n":"a","v":1}`, SenML, 0, "SenML is a list of records"},
		{`[{"v":1}]`, SenML, 0, "record 1 has no name"},
		{`[{"n":"a","v":1,"vs":"x"}]`, SenML, 0, "has 2 values"},
		{`[{"n":"a","v":"1"}]`, SenML, 0, "v is a number"},
		{`[{"n":"a b","v":1}]`, SenML, 0, "the name \"a b\""},
		{`[{"n":"a","vb":1}]`, SenML, 0, "vb is true or false"},
		{`[{"n":1,"v":1}]`, SenML, 0, "n is text"},
		{`[{"n":"a","v":1,"x_":1}]`, SenML, 0, "must be understood"},
		{`[{"n":"a","vd":"{id}"}]`, SenMLCBOR, 0, "{id} in vd"},
		{`[{"n":"a","vd":"!"}]`, SenMLCBOR, 0, "not base64url"},
		{`[1e999]`, CBOR, 0, "too large"},
	} {
		if _, err := Compile(c.text, c.encoding, c.size); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestCBOR(t *testing.T) {
	for _, c := range []struct{ text, encoding, want string }{
		{`[18446744073709551615,0,23,24,255,256,65536,4294967296,-1,-25,-257]`, CBOR, "8b" + "1bffffffffffffffff" + "00" + "17" + "1818" + "18ff" + "190100" + "1a00010000" + "1b0000000100000000" + "20" + "3818" + "390100"},
		{`{"a":true,"b":[false,null,1.5]}`, CBOR, "a2" + "6161" + "f5" + "6162" + "83f4f6fb3ff8000000000000"},
		{`{"n":{n},"t":{time}}`, CBOR, "a2" + "616e07" + "6174" + "fb41da49a9cd07df3b"},
		{`["{n:03}a","{site}",{x},{site}]`, CBOR, "84" + "64" + hexOf("007a") + "68" + hexOf("Zürich\n") + "fb4029000000000000" + "68" + hexOf("Zürich\n")},
		{`{"{id}":"{stamp}"}`, CBOR, "a1" + "63" + hexOf(`d"1`) + "7828" + hexOf(stampText)},
		{
			`[{"bn":"urn:{n}:","bt":{time},"n":"t","u":"Cel","v":{ramp:0.0:1.0:10s}},{"n":"d","vd":"AQI"},{"n":"b","vb":true}]`, SenMLCBOR,
			"83" + "a5" + "21" + "66" + hexOf("urn:7:") + "22" + "fb41da49a9cd07df3b" + "00" + "6174" + "01" + "63" + hexOf("Cel") + "02" + "fb3fc999999999999a" +
				"a2" + "00" + "6164" + "08" + "420102" + "a2" + "00" + "6162" + "04" + "f5",
		},
	} {
		tmpl, err := Compile(c.text, c.encoding, 0, "site", "x")
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := hex.EncodeToString(tmpl.Append(nil, &vars)); got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

func hexOf(s string) string { return hex.EncodeToString([]byte(s)) }

func TestFilter(t *testing.T) {
	for topic, want := range map[string]string{"shakedown/{id}/x": "shakedown/+/x", "a/b{n}-{tenant}/c": "a/+/c", "{class}": "+", "a/b": "a/b", "": "", "x/{serial}-{n:06}": "x/+"} {
		if got := Filter(topic); got != want {
			t.Errorf("%s: %s, want %s", topic, got, want)
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	for _, encoding := range []string{JSON, CBOR} {
		tmpl, err := Compile(text128, encoding, 128)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 0, 256)
		if n := testing.AllocsPerRun(100, func() { dst = tmpl.Append(dst[:0], &vars) }); n != 0 {
			t.Errorf("%s: %v allocations", encoding, n)
		}
		if len(dst) != 128 {
			t.Errorf("%s: %d bytes: %q", encoding, len(dst), dst)
		}
		if s, ok := FindStamp(dst); !ok || s != vars.Stamp {
			t.Errorf("%s: stamp %+v, %v in %q", encoding, s, ok, dst)
		}
	}
}

const text128 = `{"id":"{id}","seq":{seq},"t":{time},"v":{ramp:15.0:30.0:10m},"s":"{stamp}","f":"{fill}"}`

func BenchmarkAppend(b *testing.B) {
	for _, encoding := range []string{JSON, CBOR} {
		b.Run(encoding, func(b *testing.B) {
			tmpl, err := Compile(text128, encoding, 128)
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				dst = tmpl.Append(dst[:0], &vars)
			}
		})
	}
}

// TestMediaTypes holds the encodings against the page of the fleet file.
func TestMediaTypes(t *testing.T) {
	page, err := os.ReadFile("../../docs/fleet-file.md")
	if err != nil {
		t.Fatal(err)
	}
	for encoding, m := range media {
		line := regexp.MustCompile("(?m)^\\| `" + encoding + "` .* `" + regexp.QuoteMeta(m.name) + "` \\|$")
		if !line.Match(page) || MediaType(encoding) != m.name || ContentFormat(encoding) != m.number {
			t.Errorf("docs/fleet-file.md does not give %s as %s", encoding, m.name)
		}
	}
}
