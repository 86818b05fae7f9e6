package cloud

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
)

// Account is someone or something that can prove who it is.
type Account struct {
	Name     string `json:"name"`
	Role     string `json:"role"` // device, user or operator
	Salt     string `json:"salt"`
	Password string `json:"password"` // SHA-256 of salt and password, in hex: the reference has no passwords of people
}

// unit is a device with what its owner may know of it.
type unit struct {
	ID     string                     `json:"id"`
	Owner  string                     `json:"owner,omitempty"`
	Guests []string                   `json:"guests,omitempty"`
	State  map[string]json.RawMessage `json:"state,omitempty"` // last payload by last topic level
	Seen   time.Time                  `json:"seen,omitzero"`
}

// store is all that the cloud keeps, in memory and, when it has a file, there too.
type store struct {
	file     string
	clock    *clock.Clock
	restored bool // it was read from its file

	mu       sync.Mutex
	Accounts map[string]Account `json:"accounts"`
	Units    map[string]*unit   `json:"units"`
	Serials  map[string]string  `json:"serials"` // of devices that were provisioned, with the id that each was given
	Next     int                `json:"next"`    // number of the next one
}

// Limits of what devices can make the cloud keep.
const (
	maxTopics  = 32       // of one device
	maxPayload = 64 << 10 // bytes that are kept of a payload
)

var (
	errUnknown = errors.New("no such device")
	errTaken   = errors.New("the device has an owner")
)

// fleet is how many thermostats there are besides the two of people who use the app.
const fleet = 120

// openStore reads the store, or makes one with the accounts that the product ships with.
func openStore(file string, c *clock.Clock) (*store, error) {
	s := &store{file: file, clock: c, Accounts: map[string]Account{}, Units: map[string]*unit{}, Serials: map[string]string{}}
	if file != "" {
		data, err := os.ReadFile(file)
		if err == nil {
			if err := json.Unmarshal(data, s); err != nil {
				return nil, fmt.Errorf("read state of the cloud from %s: %w", file, err)
			}
			s.restored = true
			return s, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read state of the cloud: %w", err)
		}
	}
	for _, id := range []string{"thermostat-a", "thermostat-b"} {
		s.add(id, "device", "secret-of-"+id)
		s.Units[id] = &unit{ID: id}
	}
	s.Units["thermostat-a"].Owner, s.Units["thermostat-b"].Owner = "alice", "bob"
	s.add("alice", "user", "alice's password")
	s.add("bob", "user", "bob's password")
	s.add("operator", "operator", "operator's password")
	s.add("fleet-operator", "operator", "secret-of-fleet-operator")
	for n := range fleet {
		id := fmt.Sprintf("thermostat-%04d", n)
		s.add(id, "device", "secret-of-"+id)
	}
	return s, nil
}

func (s *store) add(name, role, password string) {
	s.Accounts[name] = Account{Name: name, Role: role, Salt: name, Password: hashed(name, password)}
}

func hashed(salt, password string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + password))
	return hex.EncodeToString(sum[:])
}

// save writes the store so that a power cut leaves the old or the new one.
func (s *store) save() error {
	if s.file == "" {
		return nil
	}
	s.mu.Lock()
	data, err := json.Marshal(s)
	s.mu.Unlock()
	if err == nil {
		if err = os.WriteFile(s.file+".new", data, 0o600); err == nil {
			err = os.Rename(s.file+".new", s.file)
		}
	}
	if err != nil {
		return fmt.Errorf("write state of the cloud: %w", err)
	}
	return nil
}

// login returns the account of a name and password.
func (s *store) login(name, password string) (Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.Accounts[name]
	same := subtle.ConstantTimeCompare([]byte(a.Password), []byte(hashed(a.Salt, password))) == 1
	return a, ok && same
}

func (s *store) account(name string) (Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.Accounts[name]
	return a, ok
}

// note keeps a payload of a device as the last of its topic.
func (s *store) note(id, topic string, payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.Units[id]
	if u == nil || len(payload) > maxPayload || !json.Valid(payload) {
		return
	}
	if u.State == nil {
		u.State = map[string]json.RawMessage{}
	}
	if _, known := u.State[topic]; known || len(u.State) < maxTopics {
		u.State[topic] = json.RawMessage(slices.Clone(payload))
		u.Seen = s.clock.Now()
	}
}

// of lists the devices that a user owns or was given a share in, by id.
func (s *store) of(user string) []unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []unit{}
	for _, id := range slices.Sorted(maps.Keys(s.Units)) {
		if u := s.Units[id]; u.sharedWith(user) {
			list = append(list, u.clone())
		}
	}
	return list
}

// see returns a device that a user may see; to others it does not exist.
func (s *store) see(user, id string) (unit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.Units[id]
	if u == nil || !u.sharedWith(user) {
		return unit{}, errUnknown
	}
	return u.clone(), nil
}

// claim makes a user the owner of a device that has none.
func (s *store) claim(user, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.Units[id]
	switch {
	case u == nil:
		return errUnknown
	case u.Owner != "" && u.Owner != user:
		return errTaken
	}
	u.Owner = user
	return nil
}

// share lets a guest see and command a device of owner's.
func (s *store) share(owner, id, guest string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.Units[id]
	if u == nil || u.Owner != owner || s.Accounts[guest].Role != "user" {
		return errUnknown
	}
	if !slices.Contains(u.Guests, guest) {
		u.Guests = append(u.Guests, guest)
	}
	return nil
}

func (u *unit) sharedWith(user string) bool {
	return u.Owner == user || slices.Contains(u.Guests, user)
}

func (u *unit) clone() unit {
	own := *u
	own.Guests, own.State = slices.Clone(u.Guests), maps.Clone(u.State)
	return own
}
