package app_test

import (
	"bytes"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/reference/phone"
)

// count is how many elements there are; no document holds more than one for eight bytes.
func count(e *app.Element) int {
	n := 1
	for _, c := range e.Children {
		n += count(c)
	}
	return n
}

func readXML(data []byte) {
	root, _ := app.ParseXML(data)
	if root == nil {
		return
	}
	if n := count(root); n > len(data)/8 {
		panic("more elements than the data can hold")
	}
	m := app.ReadManifest(root, nil)
	m.Permits("INTERNET", 30)
	for _, c := range m.Components {
		c.Exposed(m.TargetSDK)
	}
	app.ReadNetworkConfig(root, nil).Permits("example.com", true)
}

func readProto(data []byte) {
	if root, _ := app.ParseProtoXML(data); root != nil {
		if n := count(root); n > len(data) {
			panic("more elements than the data can hold")
		}
		app.ReadNetworkConfig(root, nil)
		app.ReadManifest(root, app.ParseProtoTable(data))
	}
	app.ParseProtoTable(data).Lookup(0x7f010000)
}

func readTable(data []byte) {
	t, _ := app.ParseTable(data)
	for _, id := range []uint32{0x7f010000, 0x7f010001, 0x7f020000, 0x0101000f} {
		if len(t.Lookup(id)) > 64 {
			panic("more values than are wanted")
		}
		app.Resolve(app.Value{Kind: app.Reference, Number: id}, t)
	}
}

func readDEX(data []byte) {
	var c app.Code
	_ = c.Add(data)
	if len(c.Methods) > len(data)/8+1 || len(c.Hosts) > 2000 {
		panic("more than the data can hold")
	}
	c.Has("La;", "onTimeout")
}

func readBlock(data []byte) {
	var s app.Signatures
	_ = s.Block(bytes.NewReader(data), int64(len(data)))
	_ = s.JAR(data)
	if len(s.Signers) > 20 {
		panic("more signers than are wanted")
	}
}

// size is how many values there are, and how many bytes of text.
func size(v any) (values, text int) {
	values = 1
	switch v := v.(type) {
	case app.Dict:
		for k, one := range v {
			n, t := size(one)
			values, text = values+n, text+t+len(k)
		}
	case []any:
		for _, one := range v {
			n, t := size(one)
			values, text = values+n, text+t
		}
	case string:
		text = len(v)
	case []byte:
		text = len(v)
	}
	return values, text
}

func readPlist(data []byte) {
	d, err := app.ParsePlist(data)
	if err != nil {
		return
	}
	if values, text := size(d); values > 200_000 || text > 64<<20 {
		panic("a property list that is too large")
	}
	d.Texts("NSBonjourServices")
}

func readProfile(data []byte) {
	if p, _ := app.ParseProfile(data); p != nil {
		p.Store()
	}
}

func readMachO(data []byte) {
	m, _ := app.ParseMachO(bytes.NewReader(data), int64(len(data)))
	if m != nil && len(m.Libraries) > len(data)/8 {
		panic("more libraries than the data can hold")
	}
}

func FuzzXML(f *testing.F) {
	files := inside(f, phone.Android)
	f.Add(files[manifest])
	f.Add(files[network])
	f.Fuzz(func(_ *testing.T, data []byte) { readXML(data) })
}

func FuzzTable(f *testing.F) {
	f.Add(inside(f, phone.Android)[table])
	f.Fuzz(func(_ *testing.T, data []byte) { readTable(data) })
}

func FuzzProto(f *testing.F) {
	f.Add([]byte("\x0a\x2a\x1a\x08manifest\x22\x0e\x12\x07package\x1a\x03a.b\x2a\x0e\x0a\x0c\x1a\x0aapplicatio"))
	f.Add([]byte("\x12\x16\x0a\x02\x08\x7f\x1a\x10\x0a\x02\x08\x01\x1a\x0a\x32\x08\x12\x06\x22\x04\x12\x02\x0a\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) { readProto(data) })
}

func FuzzDEX(f *testing.F) {
	f.Add(inside(f, phone.Android)[code])
	f.Fuzz(func(_ *testing.T, data []byte) { readDEX(data) })
}

func FuzzSignatures(f *testing.F) {
	f.Add(inside(f, phone.Android)[""])
	f.Add(inside(f, phone.Android, "android-jar-signature")["META-INF/CERT.EC"])
	f.Fuzz(func(_ *testing.T, data []byte) { readBlock(data) })
}

func FuzzPlist(f *testing.F) {
	f.Add(inside(f, phone.IOS)[info])
	f.Add([]byte(`<plist version="1.0"><dict><key>a</key><array><true/><integer>7</integer><date>2027-03-01T00:00:00Z</date><data>AAE=</data></array></dict></plist>`))
	f.Fuzz(func(_ *testing.T, data []byte) { readPlist(data) })
}

func FuzzProfile(f *testing.F) {
	f.Add(inside(f, phone.IOS)[profile])
	f.Fuzz(func(_ *testing.T, data []byte) { readProfile(data) })
}

func FuzzMachO(f *testing.F) {
	f.Add(inside(f, phone.IOS)[program])
	f.Fuzz(func(_ *testing.T, data []byte) { readMachO(data) })
}
