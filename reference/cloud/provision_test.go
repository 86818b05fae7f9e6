package cloud_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/shakedown-test/shakedown/reference/cloud"
)

// post asks the API for something with a bearer token.
func (w *world) post(path, token, body string) (status int, head http.Header, answer []byte) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := w.http.Do(req)
	if err != nil {
		w.t.Error(err)
		return 0, nil, nil
	}
	defer res.Body.Close()
	answer, _ = io.ReadAll(res.Body)
	return res.StatusCode, res.Header, answer
}

// claimed is what a device is given.
type claimed struct{ ID, Password string }

func (w *world) claim(serial string) (c claimed) {
	w.t.Helper()
	status, _, answer := w.post("/v1/claim", "key-of-the-factory", fmt.Sprintf(`{"serial":%q}`, serial))
	if err := json.Unmarshal(answer, &c); status != http.StatusCreated || err != nil {
		w.t.Errorf("claim of %s: status %d, %s", serial, status, answer)
	}
	return c
}

// TestNewDevicesGetOneIdentityEach has twenty devices ask at once, twice, and connect.
func TestNewDevicesGetOneIdentityEach(t *testing.T) {
	w := start(t, nil)
	var mu sync.Mutex
	var tasks sync.WaitGroup
	given := map[string]claimed{}
	for n := range 20 {
		tasks.Go(func() {
			serial := fmt.Sprintf("T%04d", n)
			first := w.claim(serial)
			second := w.claim(serial)
			if first.ID != second.ID || first.Password == second.Password {
				t.Errorf("%s: %v, then %v", serial, first, second)
			}
			mu.Lock()
			defer mu.Unlock()
			given[second.ID] = second
		})
	}
	tasks.Wait()
	if len(given) != 20 {
		t.Errorf("20 devices were given %d ids", len(given))
	}
	for _, c := range given {
		if _, code := w.device(c.ID, c.Password, nil); code != 0 {
			t.Errorf("%s was refused with 0x%02X", c.ID, code)
		}
	}
	for want, ask := range map[int][2]string{
		http.StatusUnauthorized: {"another key", `{"serial":"T1"}`}, http.StatusBadRequest: {"key-of-the-factory", `{"serial":""}`},
	} {
		if status, _, _ := w.post("/v1/claim", ask[0], ask[1]); status != want {
			t.Errorf("claim with %v: status %d, want %d", ask, status, want)
		}
	}
}

// TestMeasurementsOverHTTP has a device send faster and faster, in a cloud that says so and in others that don't.
func TestMeasurementsOverHTTP(t *testing.T) {
	for flaw, want := range map[string]int{
		"": http.StatusTooManyRequests, "cloud-http-overload-error": http.StatusInternalServerError, "cloud-http-overload-denied": http.StatusForbidden,
	} {
		w := start(t, func(c *cloud.Config) { c.Flaws = map[string]bool{flaw: true} })
		c := w.claim("G1")
		path := "/v1/devices/" + c.ID + "/telemetry"
		if status, _, _ := w.post(path, "another password", `{"seq":1}`); status != http.StatusUnauthorized {
			t.Errorf("with another password: status %d", status)
		}
		if status, _, _ := w.post(path, c.Password, `{"seq":1}`); status != http.StatusNoContent {
			t.Errorf("the first measurement: status %d", status)
		}
		got := map[int]int{}
		for range 200 {
			status, head, _ := w.post(path, c.Password, `{"seq":2}`)
			got[status]++
			if (status == http.StatusTooManyRequests) != (head.Get("Retry-After") != "") {
				t.Errorf("status %d with Retry-After %q", status, head.Get("Retry-After"))
			}
		}
		if got[want] == 0 || len(got) > 2 {
			t.Errorf("%s: statuses %v, want %d among them", flaw, got, want)
		}
	}
}
