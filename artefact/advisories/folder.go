package advisories

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
)

const (
	mostFiles   = 500_000
	largestFile = 64 << 20 // of the catalogue of CISA 2 MiB are used
	mostBytes   = 8 << 30
	mostNotes   = 20
)

// Wanted says of which packages entries of OSV are kept: an ecosystem without its release, such as "Debian", and the name in it.
type Wanted func(ecosystem, name string) bool

// Read adds what a folder has to the bundled tables. What cannot be understood is noted; an error says that the folder cannot be read.
func Read(ctx context.Context, folder fs.FS, wanted Wanted) (*Lists, error) {
	l := Bundled()
	files, total := 0, int64(0)
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if d.IsDir() || path.Ext(name) != ".json" || !d.Type().IsRegular() {
			return nil
		}
		if files++; files > mostFiles || total > mostBytes {
			l.note("only the first %d files were read", files-1)
			return fs.SkipAll
		}
		data, err := readFile(folder, name)
		if err != nil {
			l.note("%s: %v", name, err)
			return nil
		}
		total += int64(len(data))
		if err := l.take(name, data, wanted); err != nil {
			l.note("%s: %v", name, err)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the lists: %w\nhint: name a folder that is there", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the lists: %w", err)
	}
	return l, nil
}

func readFile(folder fs.FS, name string) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if err == nil && len(data) > largestFile {
		err = fmt.Errorf("it is larger than %d bytes", largestFile)
	}
	return data, err
}

func (l *Lists) note(format string, args ...any) {
	if len(l.Notes) < mostNotes {
		l.Notes = append(l.Notes, fmt.Sprintf(format, args...))
	}
}

// take reads one file, whatever list it is.
func (l *Lists) take(name string, data []byte, wanted Wanted) error {
	data = bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	if len(data) > 0 && data[0] == '[' {
		return l.lifetimes(name, data)
	}
	var head struct {
		Catalogue string          `json:"catalogVersion"`
		Affected  json.RawMessage `json:"affected"`
		Result    json.RawMessage `json:"result"`
		ID        string          `json:"id"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("it is no JSON: %w", err)
	}
	switch {
	case head.Catalogue != "":
		return l.catalogue(data)
	case head.ID != "" && len(head.Affected) > 0:
		return l.osv(data, wanted)
	case len(head.Result) > 0:
		return l.lifetimesOfResult(name, data)
	}
	return nil // some other JSON, such as an index
}

// catalogue reads that of CISA. It has no versions: what it adds is that a vulnerability is exploited.
func (l *Lists) catalogue(data []byte) error {
	var c struct {
		Released        string `json:"dateReleased"`
		Vulnerabilities []struct {
			ID    string `json:"cveID"`
			Added string `json:"dateAdded"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	day, err := time.Parse(time.RFC3339, c.Released)
	if err != nil {
		day, err = time.Parse(time.DateOnly, c.Released[:min(len(c.Released), len(time.DateOnly))])
	}
	if err != nil {
		return fmt.Errorf("the catalogue does not say when it was released: %w", err)
	}
	if l.Catalogue == nil {
		l.Catalogue = map[string]string{}
	}
	for _, v := range c.Vulnerabilities {
		l.Catalogue[strings.ToUpper(v.ID)] = v.Added
	}
	if day.After(l.ExploitedAt) {
		l.ExploitedAt = day
	}
	return nil
}

// products are names of endoflife.date for what is called otherwise here.
var products = map[string]string{
	"linux": "linux_kernel", "apache-http-server": "http_server", "apache": "http_server", "alpine-linux": "alpine_linux", "alpine": "alpine_linux", "debian": "debian_linux",
	"ubuntu": "ubuntu_linux", "nodejs": "node.js", "mbed-tls": "mbed_tls", "mbedtls": "mbed_tls", "espressif-esp-idf": "esp-idf", "eclipse-mosquitto": "mosquitto",
}

// lifetimes reads a product of endoflife.date: api/PRODUCT.json.
func (l *Lists) lifetimes(name string, data []byte) error {
	var list []struct {
		Cycle    json.RawMessage `json:"cycle"`
		EOL      json.RawMessage `json:"eol"`
		Extended json.RawMessage `json:"extendedSupport"`
		Latest   string          `json:"latestReleaseDate"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("read the ends of life: %w", err)
	}
	var cycles []Cycle
	for _, c := range list {
		word := strings.Trim(string(c.Cycle), `"`)
		if word == "" || len(c.EOL) == 0 {
			continue
		}
		end := c.EOL
		if len(c.Extended) > 4 && path.Base(name) == "debian.json" { // long-term support, which is free
			end = c.Extended
		}
		if cycle, ok := cycleOf(word, end); ok {
			cycle.Source = path.Base(name)
			cycles = append(cycles, cycle)
		}
		l.seen(c.Latest)
	}
	l.replace(name, cycles)
	return nil
}

// lifetimesOfResult reads one of the second version of that API: api/v1/products/PRODUCT.
func (l *Lists) lifetimesOfResult(name string, data []byte) error {
	var d struct {
		Modified string `json:"last_modified"`
		Result   struct {
			Name     string `json:"name"`
			Releases []struct {
				Name  string          `json:"name"`
				Ended bool            `json:"isEol"`
				From  json.RawMessage `json:"eolFrom"`
			} `json:"releases"`
		} `json:"result"`
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("read the ends of life: %w", err)
	}
	var cycles []Cycle
	for _, r := range d.Result.Releases {
		end := r.From
		if string(end) == "null" || len(end) == 0 {
			end = []byte(fmt.Sprint(r.Ended))
		}
		if cycle, ok := cycleOf(r.Name, end); ok {
			cycle.Source = path.Base(name)
			cycles = append(cycles, cycle)
		}
	}
	l.seen(d.Modified[:min(len(d.Modified), len(time.DateOnly))])
	if d.Result.Name != "" {
		name = d.Result.Name + ".json"
	}
	l.replace(name, cycles)
	return nil
}

// cycleOf reads an end, which is a day, or whether it has ended.
func cycleOf(name string, end json.RawMessage) (Cycle, bool) {
	c := Cycle{Name: name}
	var text string
	if json.Unmarshal(end, &text) == nil {
		day, err := time.Parse(time.DateOnly, text)
		c.End = day
		return c, err == nil
	}
	err := json.Unmarshal(end, &c.Ended)
	return c, err == nil
}

// replace puts newer series in the place of those of the same product.
func (l *Lists) replace(name string, cycles []Cycle) {
	product := strings.TrimSuffix(path.Base(name), ".json")
	if known, ok := products[product]; ok {
		product = known
	}
	if len(cycles) > 0 {
		l.Lifetimes[product] = cycles
	}
}

// seen takes the day of the latest release that a list knows as one on which it was kept.
func (l *Lists) seen(day string) {
	if t, err := time.Parse(time.DateOnly, day); err == nil && t.After(l.LifetimesAt) {
		l.LifetimesAt = t
	}
}
