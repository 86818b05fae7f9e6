package evidence

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// maxName is how many bytes of a check's or a variant's name go into a folder's name.
const maxName = 80

// JobDir is the folder of a job's evidence: absolute or as the run folder was given, and relative to the run folder with slashes.
// It is empty for a job that is not in the plan.
func (r *Run) JobDir(job Job) (abs, rel string) {
	rel, ok := r.dirs[jobKey(job)]
	if !ok {
		return "", ""
	}
	return filepath.Join(r.dir, filepath.FromSlash(rel)), rel
}

// jobKey is job without what the plan knows about it.
func jobKey(j Job) Job { return Job{Check: j.Check, Variant: j.Variant, Repeat: j.Repeat} }

// jobName is how messages and folders call a job: "check@variant", and ".2" for its third repetition.
func jobName(j Job) string {
	name := j.Check + "@" + j.Variant
	if j.Repeat > 0 {
		name += "." + strconv.Itoa(j.Repeat)
	}
	return name
}

// jobDirs gives every job its folder. Two names that fall together on some file system are told apart by their place in the plan,
// so that the same plan always gives the same folders.
func jobDirs(jobs []Job) map[Job]string {
	dirs := make(map[Job]string, len(jobs))
	taken := map[string]bool{}
	for _, j := range jobs {
		key := jobKey(j)
		if _, twice := dirs[key]; twice {
			continue
		}
		name := jobName(Job{Check: sanitise(j.Check), Variant: sanitise(j.Variant), Repeat: j.Repeat})
		unique := name
		for n := 2; taken[strings.ToLower(unique)]; n++ {
			unique = fmt.Sprintf("%s~%d", name, n)
		}
		taken[strings.ToLower(unique)] = true
		dirs[key] = path.Join("jobs", unique)
	}
	return dirs
}

// sanitise keeps of a name what every file system takes and no shell or URL minds.
func sanitise(name string) string {
	clean := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			return c
		}
		return '_'
	}, name)
	if len(clean) > maxName {
		clean = clean[:maxName]
	}
	clean = strings.TrimRight(strings.TrimLeft(clean, "."), ".")
	if clean == "" {
		return "all" // the one variant of a product that has none
	}
	return clean
}
