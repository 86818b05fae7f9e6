package cloud

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
)

// factoryKey is what a device proves with that it comes from the factory, in "Authorization: Bearer …".
const factoryKey = "key-of-the-factory"

// maxSerials is how many devices are provisioned at most.
const maxSerials = 10000

var errFull = errors.New("no more devices can be provisioned")

// provision gives a device that comes new its identity, by its serial number. One that asks again, as the answer may have been lost, gets
// the same id, and a new password in place of the old one.
func (c *Cloud) provision(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Serial string }
	if r.Header.Get("Authorization") != "Bearer "+factoryKey {
		http.Error(w, "not a device of ours", http.StatusUnauthorized)
		return
	}
	if !read(w, r, &ask) {
		return
	}
	if ask.Serial == "" || len(ask.Serial) > 64 {
		http.Error(w, "a serial number has 1 to 64 signs", http.StatusBadRequest)
		return
	}
	password := rand.Text()
	id, err := c.store.provision(ask.Serial, password, c.spoilt(r.Context(), ask.Serial))
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	c.spoil(id)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	reply(w, map[string]string{"id": id, "password": password})
}

// provision gives a serial number an id, the same whenever it is asked, with a new password. The number in a new id is what take makes of
// the next one.
func (s *store) provision(serial, password string, take func(next int) int) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, known := s.Serials[serial]
	switch {
	case known:
	case len(s.Serials) >= maxSerials:
		return "", errFull
	default:
		number := take(s.Next)
		s.Next = number + 1
		id = fmt.Sprintf("thermostat-n%05d", number)
		s.Serials[serial] = id
	}
	s.add(id, "device", password)
	if s.Units[id] == nil {
		s.Units[id] = &unit{ID: id}
	}
	return id, nil
}
