// Package settings reads files in which systems keep their settings: those of services, of Wi-Fi, of Android, of the kernel, and the
// environment of U-Boot.
package settings

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Kind is what a file configures.
type Kind string

// The kinds.
const (
	UCI      Kind = "UCI"          // OpenWrt's unified configuration interface: /etc/config/*
	SSH      Kind = "sshd_config"  // OpenSSH's server
	AccessPt Kind = "hostapd.conf" // a Wi-Fi access point
	UPnP     Kind = "miniupnpd.conf"
	Property Kind = "Android properties"
	Default  Kind = "defaults" // /etc/default/*: variables of a shell
	Kernel   Kind = "kernel configuration"
)

// File is what one file sets.
type File struct {
	Kind     Kind
	Sections []Section
}

// Section is a block of settings. Files without blocks have one.
type Section struct {
	Type, Name string // of UCI: "wifi-iface" and its name
	Line       int
	Values     []Value
}

// Value is a line.
type Value struct {
	Key, Value string
	Line       int
}

const (
	maxFile  = 1 << 20 // bytes
	maxLines = 30_000
)

// Get is the first value of a key, as most readers take it.
func (s *Section) Get(key string) (string, bool) {
	i := slices.IndexFunc(s.Values, func(v Value) bool { return v.Key == key })
	if i < 0 {
		return "", false
	}
	return s.Values[i].Value, true
}

// Line is where a key is set first; 0: nowhere.
func (s *Section) LineOf(key string) int {
	i := slices.IndexFunc(s.Values, func(v Value) bool { return v.Key == key })
	if i < 0 {
		return 0
	}
	return s.Values[i].Line
}

// On reports whether a key is set to a word that means yes.
func (s *Section) On(key string) bool {
	v, _ := s.Get(key)
	return slices.Contains([]string{"1", "yes", "on", "true", "enabled"}, strings.ToLower(v))
}

// Off reports whether a key is set to a word that means no.
func (s *Section) Off(key string) bool {
	v, _ := s.Get(key)
	return slices.Contains([]string{"0", "no", "off", "false", "disabled"}, strings.ToLower(v))
}

// Parse reads a file by its path; nil: it is none of these kinds, or only an example of one.
func Parse(name string, data []byte) *File {
	data = data[:min(len(data), maxFile)]
	base, folder := path.Base(name), path.Base(path.Dir(name))
	f := &File{}
	separator := "="
	if strings.Contains(name, "share/") && !KernelConfig(data) { // documentation and templates
		return nil
	}
	switch {
	case folder == "config" && path.Base(path.Dir(path.Dir(name))) == "etc":
		f.Kind = UCI
	case base == "sshd_config" || folder == "sshd_config.d":
		f.Kind, separator = SSH, " "
	case strings.HasPrefix(base, "hostapd") && strings.HasSuffix(base, ".conf"):
		f.Kind = AccessPt
	case base == "miniupnpd.conf":
		f.Kind = UPnP
	case base == "build.prop" || base == "default.prop" || base == "prop.default" || base == "local.prop":
		f.Kind = Property
	case folder == "default" && path.Base(path.Dir(path.Dir(name))) == "etc":
		f.Kind = Default
	case KernelConfig(data):
		f.Kind = Kernel
	default:
		return nil
	}
	if bytes.IndexByte(data, 0) >= 0 && f.Kind != Kernel {
		return nil
	}
	if f.Kind == UCI {
		f.Sections = uci(string(data))
		return f
	}
	f.Sections = []Section{flat(f.Kind, string(data), separator)}
	if f.Kind == AccessPt {
		f.Sections = networks(f.Sections[0])
	}
	return f
}

// KernelConfig reports whether data begin as the configuration that Linux is built with.
func KernelConfig(data []byte) bool {
	head := data[:min(len(data), 512)]
	return bytes.HasPrefix(head, []byte("#")) && bytes.Contains(head, []byte(" Kernel Configuration\n"))
}

// flat reads lines of key and value.
func flat(kind Kind, text, separator string) (s Section) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if n > maxLines || kind == SSH && strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "match ") {
			break
		}
		line = strings.TrimSpace(line)
		if name, ok := strings.CutSuffix(line, " is not set"); ok && kind == Kernel {
			s.Values = append(s.Values, Value{strings.TrimPrefix(name, "# "), "n", n})
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if separator == " " || kind == UPnP && !strings.Contains(line, "=") {
			line = strings.Replace(line, "\t", " ", 1)
			separator := " "
			if i := strings.IndexAny(line, " ="); i >= 0 {
				separator = line[i : i+1]
			}
			key, value, _ := strings.Cut(line, separator)
			if kind == SSH {
				key = strings.ToLower(key)
			}
			s.Values = append(s.Values, Value{key, unquoted(value), n})
			continue
		}
		if key, value, ok := strings.Cut(line, separator); ok {
			s.Values = append(s.Values, Value{strings.TrimSpace(strings.TrimPrefix(key, "export ")), unquoted(value), n})
		}
	}
	return s
}

func unquoted(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// networks are those of an access point: the first, and each that begins with bss.
func networks(all Section) (list []Section) {
	s := Section{Line: 1}
	for _, v := range all.Values {
		if v.Key == "bss" {
			list = append(list, s)
			s = Section{Line: v.Line}
		}
		s.Values = append(s.Values, v)
	}
	return append(list, s)
}

// uci reads sections of OpenWrt: config TYPE [NAME], option KEY VALUE, list KEY VALUE. What stands before the first is left out.
func uci(text string) (list []Section) {
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > maxLines {
			break
		}
		w := fields(line)
		switch {
		case len(w) >= 2 && w[0] == "config":
			s := Section{Type: w[1], Line: n}
			if len(w) > 2 {
				s.Name = w[2]
			}
			list = append(list, s)
		case len(w) >= 3 && (w[0] == "option" || w[0] == "list") && len(list) > 0:
			s := &list[len(list)-1]
			s.Values = append(s.Values, Value{w[1], w[2], n})
		}
	}
	return list
}

// fields are the words of a line, which quotes hold together; a comment ends it.
func fields(line string) (words []string) {
	line = strings.TrimSpace(line)
	for line != "" && line[0] != '#' {
		var word string
		if q := line[0]; q == '\'' || q == '"' {
			var ok bool
			word, line, ok = strings.Cut(line[1:], line[:1])
			if !ok {
				line = ""
			}
		} else if i := strings.IndexAny(line, " \t"); i >= 0 {
			word, line = line[:i], line[i:]
		} else {
			word, line = line, ""
		}
		words = append(words, word)
		line = strings.TrimLeft(line, " \t")
	}
	return words
}
