package product

import "testing"

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"a.test:8883": "a.test 8883", "tls://a.test:443": "a.test 443", "https://a.test": "a.test 443", "https://a.test:8443/v1/x": "a.test 8443",
		"mqtts://a.test": "a.test 8883", "wss://a.test/mqtt": "a.test 443", "tls://[::1]:443": "::1 443", "https://[2001:db8::1]": "2001:db8::1 443",
		"a.test": "", "tls://a.test": "", "http://a.test": "", "tls://": "", ":443": "", "https://user@a.test": "", "a.test:0": "", "a.test:99999": "",
	} {
		host, port, err := ParseEndpoint(text)
		if got := host + " " + port; got != want && !(want == "" && err != nil) {
			t.Errorf("%s: %q (%v), want %q", text, got, err, want)
		}
	}
	for word, want := range map[string]bool{"tls://a:1": true, "https://a": true, "a:1": false, "image.bin": false, "http://a": false, "://x": false} {
		if IsEndpoint(word) != want {
			t.Errorf("%s: want %t", word, want)
		}
	}
}
