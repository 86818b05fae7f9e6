package endpoint

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// clientHello is a ClientHello body with these extensions, in TLS 1.2 and two suites.
func clientHello(extensions ...byte) []byte {
	b := append([]byte{3, 3}, make([]byte, 32)...)
	b = append(b, 0, 0, 4, 0x00, 0x3c, 0xc0, 0xa8, 1, 0)
	if len(extensions) == 0 {
		return b
	}
	return append(append(b, 0, byte(len(extensions))), extensions...)
}

// message is a ClientHello message with body.
func message(body []byte) []byte { return append([]byte{1, 0, 0, byte(len(body))}, body...) }

func TestParseHello(t *testing.T) {
	h, err := parseHello(clientHello(
		0, 0, 0, 6, 0, 4, 0, 0, 1, 'h',
		0, 1, 0, 1, 2,
		0, 16, 0, 5, 0, 3, 2, 'h', '2',
		0, 28, 0, 2, 4, 0,
		0, 43, 0, 5, 4, 3, 4, 3, 3,
		0, 5, 0, 0,
		0, 35, 0, 0,
	))
	want := &Hello{
		ServerName: "h", Versions: []uint16{0x304, 0x303}, CipherSuites: []uint16{0x3c, 0xc0a8}, ALPN: []string{"h2"},
		Extensions: []uint16{0, 1, 16, 28, 43, 5, 35}, MaxFragment: 1024, RecordSizeLimit: 1024, OCSP: true, SessionTicket: true,
	}
	if diff := cmp.Diff(want, h); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if h, err := parseHello(clientHello()); err != nil || len(h.Versions) != 1 || h.Extensions != nil {
		t.Errorf("without extensions: %+v, %v", h, err)
	}
}

func TestParseHelloMalformed(t *testing.T) {
	for _, tt := range []struct {
		want string
		body []byte
	}{
		{"malformed ClientHello: offset 0: version or random cut off", nil},
		{"malformed ClientHello: offset 45: length of the extensions", append(clientHello(), 0, 9, 1)},
		{"malformed ClientHello: offset 45: content of extension 1", clientHello(0, 1, 0, 1, 5)},
		{"malformed ClientHello: offset 49: extension cut off", clientHello(0, 5, 0, 0, 0, 16, 0, 9)},
	} {
		if _, err := parseHello(tt.body); !errors.Is(err, errMalformed) || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestReadHelloFragmented(t *testing.T) {
	var wire []byte
	for _, b := range message(clientHello()) {
		wire = append(wire, record(recordHandshake, 0x301, []byte{b})...)
	}
	raw, h, err := readHello(bytes.NewReader(wire))
	if err != nil || !bytes.Equal(raw, wire) || len(h.CipherSuites) != 2 {
		t.Errorf("%+v, %v", h, err)
	}
	for _, tt := range []struct {
		wire string
		want error
	}{
		{"\x16\x03\x01\x00\x00", errMalformed},
		{"\x16\x03\x01\xff\xff", errMalformed},
		{"\x16\x03\x01\x00\x04\x01\xff\xff\xff", errMalformed},
		{"\x16\x03\x01\x00\x04\x02\x00\x00\x00", errMalformed},
		{"\x16\x03\x01\x00\x04\x01", io.ErrUnexpectedEOF},
		{"\x10\x0c", errPlain},
		{"", io.EOF},
	} {
		if _, _, err := readHello(bytes.NewReader([]byte(tt.wire))); !errors.Is(err, tt.want) {
			t.Errorf("%q gave %v, want %v", tt.wire, err, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	got := []string{CipherName(0x003b), CipherName(0x1301), CipherName(0xfafa), VersionName(0x0300), VersionName(0x0303), VersionName(0x0a0a)}
	want := []string{"TLS_RSA_WITH_NULL_SHA256", "TLS_AES_128_GCM_SHA256", "0xFAFA", "SSL 3.0", "TLS 1.2", "0x0A0A"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzReadHello(f *testing.F) {
	ours, theirs := net.Pipe()
	go tls.Client(theirs, &tls.Config{ServerName: "localhost", NextProtos: []string{"mqtt"}}).Handshake()
	raw, _, err := readHello(ours)
	if err != nil {
		f.Fatal(err)
	}
	ours.Close()
	f.Add(raw)
	f.Add(record(recordHandshake, 0x301, message(clientHello(0, 1, 0, 1, 2))))
	f.Add([]byte("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		raw, h, err := readHello(bytes.NewReader(b))
		if (h == nil) == (err == nil) {
			t.Errorf("hello %v with error %v", h, err)
		}
		if !bytes.HasPrefix(b, raw) {
			t.Error("raw is not what was read")
		}
	})
}
