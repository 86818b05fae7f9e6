package components

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"strings"
)

// npm reads the package.json of an installed package.
func npm(name string, data []byte) []Component {
	const largest = 1 << 20
	if len(data) > largest {
		return nil
	}
	var p struct {
		Name    string          `json:"name"`
		Version string          `json:"version"`
		License json.RawMessage `json:"license"`
		Author  json.RawMessage `json:"author"`
	}
	if json.Unmarshal(data, &p) != nil || p.Name == "" || p.Version == "" {
		return nil
	}
	at := strings.LastIndex(name, "node_modules/") + len("node_modules/")
	if strings.TrimSuffix(name[at:], "/package.json") != p.Name { // a file of the package that only looks like one
		return nil
	}
	c := Component{Name: plain(p.Name), Version: plain(p.Version), Source: NPM, License: text(p.License, "type"), Supplier: text(p.Author, "name")}
	c.Product, c.Upstream = c.Name, c.Version
	if strings.HasPrefix(c.Name, "@") {
		c.Product = ""
	}
	return []Component{c}
}

// text is a value that is a string, or an object that has it under a key.
func text(raw json.RawMessage, key string) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return plain(s)
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(raw, &o) == nil && json.Unmarshal(o[key], &s) == nil {
		return plain(s)
	}
	return ""
}

// pypi reads the core metadata of a Python package.
func pypi(data []byte) []Component {
	head, _, _ := bytes.Cut(data[:min(len(data), 256<<10)], []byte("\n\n"))
	f := fields(head)
	if f["name"] == "" || f["version"] == "" {
		return nil
	}
	license := f["license-expression"]
	if license == "" {
		license = f["license"]
	}
	return []Component{{Name: f["name"], Version: f["version"], Upstream: f["version"], Source: PyPI, License: license, Supplier: f["author"]}}
}

// goMagic begins the build information of a Go program.
const goMagic = "\xff Go buildinf:"

// mostModules is how many modules of a program are kept.
const mostModules = 5000

// Go reads the build information of a program of Go: the tool chain, whose library is in it, and the modules.
func Go(program []byte) (all []Component) {
	if !bytes.Contains(program, []byte(goMagic)) {
		return nil
	}
	defer func() {
		if recover() != nil { // debug/buildinfo reads hostile files with care, and is not made for them
			all = nil
		}
	}()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil
	}
	if v, ok := strings.CutPrefix(info.GoVersion, "go"); ok {
		v, _, _ = strings.Cut(v, " ")
		all = append(all, Component{Name: "stdlib", Version: plain(v), Upstream: plain(v), Source: GoBuild, Product: "go", Vendor: "golang", License: "BSD-3-Clause"})
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if len(all) >= mostModules || m.Version == "" || strings.HasPrefix(m.Path, ".") || strings.HasPrefix(m.Path, "/") {
			continue
		}
		v := plain(m.Version)
		all = append(all, Component{Name: plain(m.Path), Version: v, Upstream: strings.TrimPrefix(v, "v"), Source: GoBuild})
	}
	return all
}
