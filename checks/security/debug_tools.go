package security

import (
	"path"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// DebugTools looks for tools of developers in the image.
var DebugTools = &check.Check{
	ID:       "security.debug-tools",
	Title:    "Ships no tools of developers",
	Why:      "A debugger, a sniffer or a compiler on the device spares an intruder the work of bringing them along.",
	Pass:     "no folder of programs holds a debugger, tracer, packet sniffer, port scanner or compiler",
	Fix:      "Keep them in an image for the laboratory, and out of the one that is shipped.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-6", "CRA:I.2j", "ISTG:FW-CONF-002"},
	Rows:         []string{"SVC-GDB"},
	Sources:      []string{"EN 303 645, 5.6-6"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("folders of programs", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return judgeTools(f.Root)
	}),
}

// debugTools are programs that serve nobody but developers and intruders.
var debugTools = []string{
	"gdb", "gdbserver", "gdbserver64", "lldb-server", "strace", "ltrace", "tcpdump", "tshark", "nmap", "ettercap", "gcc", "g++", "cc1", "cc", "tcc", "clang", "ld", "objdump",
	"valgrind", "perf", "hydra", "john", "aircrack-ng", "aireplay-ng", "hping3", "msfconsole", "frida-server",
}

// judgeTools finds them, and says in how many folders of programs it looked.
func judgeTools(root *tree.Node) (looked int, findings []check.Finding) {
	folders := map[string]bool{}
	for n := range root.All() {
		if n.File == nil || n.File.Mode.IsDir() {
			continue
		}
		folder := path.Dir(n.Name)
		if base := path.Base(folder); base != "bin" && base != "sbin" && base != "xbin" {
			continue
		}
		folders[n.Root().Path()+"\x00"+folder] = true
		if slices.Contains(debugTools, path.Base(n.Name)) && (n.Size() > 0 || n.File.Target != "") {
			findings = append(findings, check.Finding{Title: "Ships " + path.Base(n.Name), Seen: n.Path()})
		}
	}
	return len(folders), findings
}
