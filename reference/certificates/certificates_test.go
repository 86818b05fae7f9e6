package certificates

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSameEachTime(t *testing.T) {
	for name, make := range map[string]func() string{
		"store": Store, "client": Client, "weak": WeakClient, "authority": ClientAuthority, "short": ShortStore, "without": StoreWithoutRoot, "example": Example,
	} {
		if first := make(); first != make() {
			t.Errorf("%s differs from one time to the next", name)
		}
	}
}

func TestSent(t *testing.T) {
	now := time.Date(2027, 5, 6, 7, 8, 9, 0, time.UTC)
	clean, err := Sent(now, func(string) bool { return false })
	if err != nil || strings.Count(string(clean), "BEGIN CERTIFICATE") != 2 || !strings.Contains(string(clean), "TLS 1.3") {
		t.Errorf("%s (%v)", clean, err)
	}
	for defect := range flaws {
		text, err := Sent(now, func(id string) bool { return id == defect })
		if err != nil || bytes.Equal(text, clean) {
			t.Errorf("%s: %v", defect, err)
		}
	}
}
