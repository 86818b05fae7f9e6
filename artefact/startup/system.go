package startup

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Read is a file with the node that it is.
type Read struct {
	*File
	Node *tree.Node
}

// Start is a command that a system runs.
type Start struct {
	Command
	Kind    Kind
	Node    *tree.Node // the file that says so
	By      []string   // the files that lead there, the first of them known to init
	Program *tree.Node // the program, behind links; nil: it is not in the file system
}

// system is a file system with what is known of its files.
type system struct {
	root     *tree.Node
	at       map[string]*tree.Node
	read     map[*tree.Node]*File
	whole    bool                  // it holds a shell: it is a root file system, and what is not in it is nowhere
	modes    bool                  // it tells which files may be run
	seen     map[*tree.Node]string // the condition under which it was entered
	inetd    bool
	starts   []Start
	deferred []*tree.Node // configurations of inetd, which count when that is started
}

// Started follows the files of all file systems, and lists what each of these starts. A command whose program is not there is left out,
// where all of the file system is.
func Started(files []Read) (starts []Start) {
	var systems []*system
	by := map[*tree.Node]*system{}
	for _, f := range files {
		root := f.Node.Root()
		s := by[root]
		if s == nil {
			s = newSystem(root)
			by[root] = s
			systems = append(systems, s)
		}
		s.read[f.Node] = f.File
	}
	for _, s := range systems {
		s.follow()
		starts = append(starts, s.starts...)
	}
	return starts
}

func newSystem(root *tree.Node) *system {
	s := &system{root: root, at: map[string]*tree.Node{}, read: map[*tree.Node]*File{}, seen: map[*tree.Node]string{}}
	for _, n := range root.Children {
		if n.File == nil {
			continue
		}
		s.at[n.Name] = n
		s.modes = s.modes || n.File.Mode.IsRegular() && n.File.Mode&0o111 != 0
	}
	for _, shell := range []string{"bin/sh", "bin/busybox", "usr/bin/sh", "system/bin/sh"} {
		_, ok := s.at[shell]
		s.whole = s.whole || ok
	}
	return s
}

// find is the file of a path, behind links; nil: there is none.
func (s *system) find(name string) *tree.Node {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	for range 40 {
		n, rest := s.at[name], ""
		if n == nil { // a folder of the path may be a link
			for i := len(name) - 1; i > 0 && n == nil; i-- {
				if name[i] == '/' {
					if d := s.at[name[:i]]; d != nil {
						if !link(d) {
							return nil
						}
						n, rest = d, name[i:]
					}
				}
			}
		}
		if n == nil || !link(n) {
			return n
		}
		target := n.File.Target
		if !strings.HasPrefix(target, "/") && n.File.Mode&fs.ModeSymlink != 0 {
			target = path.Join("/", path.Dir(n.Name), target)
		}
		name = strings.TrimPrefix(path.Clean(target+rest), "/")
	}
	return nil
}

// link reports whether a node stands for another one: a symbolic link, or a second name of a file.
func link(n *tree.Node) bool {
	return n.File.Mode&(fs.ModeSymlink|fs.ModeIrregular) != 0 && n.File.Target != ""
}

// program is the file that a command runs.
func (s *system) program(name string) *tree.Node {
	if strings.Contains(name, "/") {
		return s.find(name)
	}
	for _, folder := range []string{"usr/sbin", "usr/bin", "sbin", "bin", "usr/local/sbin", "usr/local/bin", "system/bin"} {
		if n := s.find(folder + "/" + name); n != nil {
			return n
		}
	}
	return nil
}

// follow starts what init does, and from there on.
func (s *system) follow() {
	for _, n := range s.root.Children {
		if n.File == nil {
			continue
		}
		name, folder := path.Base(n.Name), path.Base(path.Dir(n.Name))
		target := s.find(n.Name)
		if target == nil {
			continue
		}
		f := s.read[target]
		if f == nil {
			continue
		}
		switch {
		case s.wanted(n, folder):
			s.unit(n, target)
		case f.Kind == Inetd:
			s.deferred = append(s.deferred, target)
		case f.Kind == Inittab && n == target, f.Kind == Crontab && n == target, f.Kind == Android && n == target,
			f.Kind == Shell && s.first(n, target, name, folder):
			s.enter(target, []string{n.Name}, Command{})
		}
	}
	if s.inetd || !s.whole {
		for _, n := range s.deferred {
			s.enter(n, []string{n.Name}, Command{})
		}
	}
	slices.SortStableFunc(s.starts, func(a, b Start) int { // what depends on nothing before the same that does
		return cmp.Or(cmp.Compare(a.Node.Name, b.Node.Name), cmp.Compare(a.Line, b.Line), slices.Compare(a.Argv, b.Argv), cmp.Compare(a.When, b.When))
	})
	s.starts = slices.CompactFunc(s.starts, func(a, b Start) bool {
		return a.Node == b.Node && a.Line == b.Line && slices.Equal(a.Argv, b.Argv)
	})
}

// first reports whether init runs a script by itself.
func (s *system) first(n, target *tree.Node, name, folder string) bool {
	switch {
	case n.Name == "init" || n.Name == "linuxrc" || n.Name == "sbin/init":
		return true
	case name == "rcS" || name == "rc.sysinit" || name == "rc.local":
		return strings.HasPrefix(folder, "etc") || folder == "init.d" || folder == "."
	case runlevel(folder) || folder == "init.d":
		numbered := len(name) > 3 && name[0] == 'S' && name[1] >= '0' && name[1] <= '9'
		return numbered && (!s.modes || target.File.Mode&0o111 != 0)
	}
	return false
}

// wanted reports whether a link has systemd start a unit with a target that a system reaches by itself.
func (s *system) wanted(n *tree.Node, folder string) bool {
	if !strings.Contains(n.Name, "systemd/system/") {
		return false
	}
	target, ok := strings.CutSuffix(folder, ".wants")
	if !ok {
		target, ok = strings.CutSuffix(folder, ".requires")
	}
	if !ok {
		return false
	}
	switch target {
	case "rescue.target", "emergency.target", "shutdown.target", "reboot.target", "poweroff.target", "halt.target", "kexec.target", "final.target", "suspend.target", "hibernate.target", "sleep.target", "umount.target":
		return false
	}
	return true
}

// unit starts a unit and, of a socket, the service behind it. A unit of /etc with the same name takes the place of another one, also when
// that is a link to /dev/null.
func (s *system) unit(link, target *tree.Node) {
	name := path.Base(link.Name)
	if own := s.at["etc/systemd/system/"+name]; own != nil {
		if own.File.Target == "/dev/null" {
			return
		}
		if t := s.find(own.Name); t != nil && s.read[t] != nil {
			target = t
		}
	}
	by := []string{link.Name}
	if strings.HasSuffix(name, ".socket") {
		base := strings.TrimSuffix(path.Base(target.Name), ".socket")
		names := []string{base + ".service", base + "@.service"}
		if f := s.read[target]; f.Service != "" {
			names = []string{f.Service}
		}
		for _, service := range names {
			for _, folder := range []string{"etc", "run", "lib", "usr/lib"} {
				if n := s.find(folder + "/systemd/system/" + service); n != nil && s.read[n] != nil {
					s.enter(n, append(by, target.Name), Command{})
					return
				}
			}
		}
		return
	}
	instance := ""
	if _, rest, ok := strings.Cut(name, "@"); ok {
		instance = strings.TrimSuffix(rest, path.Ext(rest))
	}
	from := len(s.starts)
	if instance != "" {
		delete(s.seen, target)
	}
	s.enter(target, by, Command{})
	for i := from; i < len(s.starts) && instance != ""; i++ { // %I and %i stand for the instance
		for j, w := range s.starts[i].Argv {
			s.starts[i].Argv[j] = strings.NewReplacer("%I", instance, "%i", instance).Replace(w)
		}
	}
}

// enter takes the commands of a file, and goes on into the scripts that these run. What is not said of them holds as of the command that
// led there.
func (s *system) enter(n *tree.Node, by []string, from Command) {
	when := from.When
	f := s.read[n]
	before, again := s.seen[n]
	if f == nil || again && (before == "" || when != "") || len(by) > 12 || len(s.starts) > maxCommands {
		return
	}
	s.seen[n] = when
	for _, c := range f.Commands {
		c.Argv = slices.Clone(c.Argv)
		own, reached := s.settle(c.When)
		if !reached {
			continue
		}
		c.When = joined([]string{when, own})
		c.Terminal, c.Action, c.User = cmp.Or(c.Terminal, from.Terminal), cmp.Or(c.Action, from.Action), cmp.Or(c.User, from.User)
		start := Start{Command: c, Kind: f.Kind, Node: n, By: by, Program: s.program(c.Argv[0])}
		if next := s.script(c.Argv); next != nil && next != n {
			if s.read[next] != nil && s.read[next].Kind == Shell && !slices.Contains(c.Argv, "stop") {
				s.enter(next, append(slices.Clone(by), next.Name), c)
				continue
			}
		}
		if box := s.find("bin/busybox"); start.Program == nil && strings.Contains(c.Text, "busybox "+c.Argv[0]) {
			start.Program = box
		}
		if start.Program == nil && s.whole {
			continue
		}
		switch c.Program() {
		case "inetd", "xinetd", "openbsd-inetd":
			s.inetd = true
		}
		s.starts = append(s.starts, start)
	}
}

var thereTest = regexp.MustCompile(`^((?:not: )*)\[ -[efrs] (/(?:etc|usr|opt|lib|bin|sbin)/\S+) \]$`)

// settle takes conditions away that ask whether there is a file of which the file system tells. It says whether the rest can hold.
func (s *system) settle(when string) (rest string, reached bool) {
	if !s.whole || when == "" {
		return when, true
	}
	var left []string
	for _, w := range strings.Split(when, "; ") {
		m := thereTest.FindStringSubmatch(w)
		if m == nil {
			left = append(left, w)
			continue
		}
		if wanted := strings.Count(m[1], "not: ")%2 == 0; wanted != (s.find(m[2]) != nil) {
			return "", false
		}
	}
	return strings.Join(left, "; "), true
}

// script is the file that a command has a shell run.
func (s *system) script(argv []string) *tree.Node {
	switch path.Base(argv[0]) {
	case ".", "source", "sh", "ash", "bash", "dash":
		for _, w := range argv[1:] {
			if !strings.HasPrefix(w, "-") {
				return s.find(w)
			}
		}
		return nil
	}
	return s.program(argv[0])
}
