package security

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// LibraryPath looks for programs that take libraries from where others can put them.
var LibraryPath = &check.Check{
	ID:       "security.library-path",
	Title:    "Takes its libraries only from where the system keeps them",
	Why:      "Whoever can write to a folder that a program searches for libraries runs code with the rights of that program.",
	Pass:     "no RPATH or RUNPATH names a relative folder, an empty one, one for temporary files or removable media, or one that everybody can write to",
	Fix:      "Build without -rpath, or take it away with patchelf --remove-rpath.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-8", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"ELF-RPATH"},
	Sources:      []string{"ld.so(8): RPATH, RUNPATH"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("programs and libraries", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Binaries), judgeLibraryPaths(f.Binaries)
	}),
}

// judgeLibraryPaths finds folders of libraries in which somebody else can put some.
func judgeLibraryPaths(all []artefact.Binary) (findings []check.Finding) {
	for _, b := range all {
		for _, list := range []string{b.Linked.RPath, b.Linked.RunPath} {
			if list == "" {
				continue
			}
			for folder := range strings.SplitSeq(list, ":") {
				if why := openFolder(b.Node.Root(), folder); why != "" {
					findings = append(findings, check.Finding{
						Title: fmt.Sprintf("Takes libraries from %q", folder),
						Seen:  fmt.Sprintf("%s searches %q for libraries: that folder %s", b.Node.Path(), list, why),
					})
				}
			}
		}
	}
	return findings
}

// openFolder says why others may put a library into a folder; empty: they cannot.
func openFolder(root *tree.Node, folder string) string {
	if strings.HasPrefix(folder, "$ORIGIN") || strings.HasPrefix(folder, "${ORIGIN}") || strings.HasPrefix(folder, "$LIB") {
		return ""
	}
	if !strings.HasPrefix(folder, "/") {
		return "is where somebody starts the program"
	}
	clean := path.Clean(folder)
	for _, open := range []string{"/tmp", "/var/tmp", "/dev/shm", "/mnt", "/media", "/sdcard", "/var/run", "/run/user"} {
		if clean == open || strings.HasPrefix(clean, open+"/") {
			return "is for temporary files or removable media"
		}
	}
	for _, n := range root.Children {
		if n.File != nil && n.File.Mode.IsDir() && "/"+n.Name == clean && n.File.Mode&0o002 != 0 {
			return "can be written to by everybody"
		}
	}
	return ""
}
