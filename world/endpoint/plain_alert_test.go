package endpoint

import (
	"crypto/tls"
	"testing"
)

// An alert in the clear is named wherever it stands at the end of what was read, and nothing else is taken for one.
func TestPlainAlert(t *testing.T) {
	tests := []struct {
		read [][]byte
		want string
	}{
		{[][]byte{{22, 3, 1, 0, 1, 9}, record(recordAlert, tls.VersionTLS12, []byte{2, 45})}, "expired certificate"},
		{[][]byte{{21, 3}, {3, 0, 2}, {2}, {48}}, "unknown certificate authority"},
		{[][]byte{{20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 2, 2, 42}}, "bad certificate"},
		{[][]byte{{21, 3, 3, 0, 19, 1, 2}}, ""}, // encrypted
		{[][]byte{{2, 42}}, ""},
		{nil, ""},
	}
	for _, tt := range tests {
		u := &under{}
		for _, b := range tt.read {
			u.note(b)
		}
		if got, ok := u.plainAlert(); got != tt.want || ok != (tt.want != "") {
			t.Errorf("after % x: %q, %v; want %q", tt.read, got, ok, tt.want)
		}
	}
}
