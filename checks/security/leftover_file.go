package security

import (
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// LeftoverFile looks for what was left behind when the image was made.
var LeftoverFile = &check.Check{
	ID:    "security.leftover-file",
	Title: "Holds nothing of those who built it",
	Why: "Shell histories hold what was typed, passwords among it; a .git folder holds everything that ever was in the sources. " +
		"Nothing of it is needed in the field, and it is the first thing that is looked for.",
	Pass:     "no shell history, repository of a version control system, core dump, editor file or backup of an account file is in the image",
	Fix:      "Build the image from a list of what belongs in it, not from a copy of a machine that was worked on.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-6", "CRA:I.2j", "ISTG:FW-INFO-001", "IOT10:I9"},
	Rows:         []string{"CRED-HISTORY"},
	Sources:      []string{"CWE-527", "CWE-530"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		var files []*tree.Node
		for n := range f.Root.All() {
			if n.File != nil && n.File.Mode.IsRegular() {
				files = append(files, n)
			}
		}
		return len(files), judgeLeftovers(files)
	}),
}

// leftovers are files that nothing in the field reads. What is empty holds nothing.
var leftovers = []struct {
	path *regexp.Regexp
	what string
}{
	{regexp.MustCompile(`(?:^|/)\.(?:bash|ash|sh|zsh|mysql|psql|sqlite|python|node_repl|lesshst)_?history$`), "a history of what was typed"},
	{regexp.MustCompile(`(?:^|/)\.(?:git|svn|hg|bzr)/`), "a repository of a version control system"},
	{regexp.MustCompile(`(?:^|/)(?:core|core\.[0-9]+)$`), "a core dump"},
	{regexp.MustCompile(`(?:^|/)\.[^/]+\.sw[op]$|(?:^|/)[^/]+~$|(?:^|/)#[^/]+#$`), "a file of an editor"},
	{regexp.MustCompile(`(?:^|/)etc/[^/]*(?:passwd|shadow|\.conf)\.(?:bak|old|orig|save|backup)$`), "a backup of a configuration"},
	{regexp.MustCompile(`(?:^|/)\.(?:netrc|git-credentials|pypirc|aws/credentials)$`), "credentials of a developer"},
	{regexp.MustCompile(`(?:^|/)id_(?:rsa|dsa|ecdsa|ed25519)$`), "an SSH identity"},
}

func judgeLeftovers(files []*tree.Node) (findings []check.Finding) {
	var same groups[string]
	for _, n := range files {
		for _, l := range leftovers {
			if n.Size() > 0 && l.path.MatchString(n.Name) && (l.what != "a core dump" || coreDump(n)) {
				same.add(l.what+repositoryOf(n.Name), n.Path())
				break
			}
		}
	}
	for _, what := range same.keys {
		findings = append(findings, check.Finding{Title: "Holds " + what, Seen: several(same.of[what])})
	}
	return findings
}

// repositoryOf names the repository that a file belongs to, so that it is found once.
func repositoryOf(name string) string {
	for _, dir := range []string{".git", ".svn", ".hg", ".bzr"} {
		if at := strings.Index("/"+name, "/"+dir+"/"); at >= 0 {
			return " in " + path.Clean("/"+name[:at])
		}
	}
	return ""
}

// coreDump says whether a file is an ELF core dump and not just called like one.
func coreDump(n *tree.Node) bool {
	head, err := n.Read(18)
	return err == nil && len(head) == 18 && string(head[:4]) == "\x7fELF" && (head[16] == 4 || head[17] == 4)
}
