package product

import (
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Identities is what the files of a class say of who its devices are. It can be used by several goroutines.
type Identities struct {
	names     []string
	rows      *Rows
	authority *Authority
	open      func(name string) (io.ReadCloser, error)

	mutex sync.Mutex
	pairs map[string]*tls.Certificate // of files that were read, by their names
}

// maxShared is how many certificates of files are kept, for devices that share one; devices with one of their own read it anew.
const maxShared = 16

// Identities reads the CSV file and the authority of a class with so many devices. The certificates that the authority signs are valid
// from now on.
func (c *Class) Identities(devices int, now time.Time, open func(name string) (io.ReadCloser, error)) (*Identities, error) {
	out := &Identities{open: open, pairs: map[string]*tls.Certificate{}}
	if file := c.Identity.CSV; file != "" {
		r, err := open(file)
		if err != nil {
			return nil, fmt.Errorf("class %s: csv: %w", c.Name, err)
		}
		defer r.Close()
		if out.rows, err = ReadRows(r, file, devices); err != nil {
			return nil, fmt.Errorf("class %s: %w", c.Name, err)
		}
		out.names = slices.Clone(out.rows.Columns)
	}
	out.names = append(out.names, c.Taken()...)
	if file := c.Identity.CA; file != "" {
		text, err := out.read(file)
		if err != nil {
			return nil, fmt.Errorf("class %s: ca: %w", c.Name, err)
		}
		if out.authority, err = NewAuthority(text, now); err != nil {
			return nil, fmt.Errorf("class %s: ca: %s: %w", c.Name, file, err)
		}
	}
	return out, nil
}

// Names are what can stand in braces in the texts of the class beside the usual words: the columns of the CSV file, then what provisioning
// gives, sorted.
func (i *Identities) Names() []string { return i.names }

// Append appends the values of the names for the device with this number in its class, from 0. Those that provisioning gives are empty.
func (i *Identities) Append(dst []string, device int) []string {
	from := len(dst)
	if i.rows != nil {
		dst = i.rows.Append(dst, device)
	}
	for len(dst)-from < len(i.names) {
		dst = append(dst, "")
	}
	return dst
}

// Certificate is that of a device with this id, for which the files are what cert and key of its identity say. It is nil if the class has
// none.
func (i *Identities) Certificate(id, cert, key string) (*tls.Certificate, error) {
	if i.authority != nil {
		return i.authority.Issue(id)
	}
	if cert == "" {
		return nil, nil
	}
	name := cert + "\n" + key
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if pair := i.pairs[name]; pair != nil {
		return pair, nil
	}
	certText, err := i.read(cert)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", id, err)
	}
	keyText, err := i.read(key)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", id, err)
	}
	pair, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %s and %s: %s", id, cert, key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	if len(i.pairs) < maxShared {
		i.pairs[name] = &pair
	}
	return &pair, nil
}

// maxPEM is the most bytes of a file with certificates and keys.
const maxPEM = 1 << 20

func (i *Identities) read(name string) ([]byte, error) {
	r, err := i.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxPEM+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(text) > maxPEM:
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxPEM)
	}
	return text, nil
}
