package addresses

import (
	"testing"

	"github.com/shakedown-test/shakedown/artefact/search"
)

func find(data []byte) (list []URL) {
	search.New(Patterns(0)).Each(data, func(id, at int) {
		if u, ok := Read(id, data, at); ok {
			list = append(list, u)
		}
	})
	return list
}

func TestRead(t *testing.T) {
	for text, want := range map[string]URL{
		"server = https://Updates.Reference.test/v1?x=1\n": {Scheme: "https", Host: "updates.reference.test", Path: "/v1?x=1", Text: "https://Updates.Reference.test/v1?x=1", Offset: 9},
		"(see http://a.example.)":                          {Scheme: "http", Host: "a.example", Path: "/", Text: "http://a.example", Offset: 5},
		"# http://a.example/b":                             {Scheme: "http", Host: "a.example", Path: "/b", Text: "http://a.example/b", Offset: 2, Comment: true},
		"mqtts://u:p@b.example:8883\x00":                   {Scheme: "mqtts", Host: "b.example", Path: "/", Text: "mqtts://b.example:8883"},
		"x\nhttp://192.168.1.7/api":                        {Scheme: "http", Host: "192.168.1.7", Path: "/api", Text: "http://192.168.1.7/api", Offset: 2},
		"http://%s/api":                                    {},
		"http://localhost/":                                {},
		"shttp://a.example":                                {},
		"http://1.2.3.4.5/":                                {},
		"http://":                                          {},
	} {
		got := find([]byte(text))
		if want == (URL{}) {
			if len(got) != 0 {
				t.Errorf("%q: %+v, want none", text, got)
			}
			continue
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	wide := find([]byte(search.Wide("at https://a.example/b now")))
	if len(wide) != 1 || wide[0].Text != "https://a.example/b" || wide[0].Offset != 6 {
		t.Errorf("in UTF-16: %+v", wide)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("server = https://u:p@Updates.Reference.test/v1?x=1\n"))
	f.Add([]byte(search.Wide("https://[::1]:80/b")))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, u := range find(data) {
			if u.Host == "" || u.Offset < 0 || u.Offset >= len(data) {
				t.Errorf("%+v", u)
			}
		}
	})
}
