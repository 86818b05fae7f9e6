package product

import "strings"

// DidYouMean is a hint with the valid name nearest to what was written; when none is near, it lists them.
func DidYouMean(written string, valid []string) string {
	if name := nearest(written, valid); name != "" {
		return `did you mean "` + name + `"?`
	}
	if len(valid) == 0 {
		return ""
	}
	const most = 16
	list := valid[:min(len(valid), most)]
	more := ""
	if len(valid) > most {
		more = ", …"
	}
	return "one of: " + strings.Join(list, ", ") + more
}

// nearest is the valid name with the smallest edit distance, if it is at most a third of the longer name, and at least one
// edit is always allowed. The first of several equally near names wins.
func nearest(written string, valid []string) string {
	best, bestDistance := "", 0
	for _, name := range valid {
		longer := max(len(written), len(name))
		if longer > 128 {
			continue
		}
		d := distance(strings.ToLower(written), strings.ToLower(name))
		if d > max(1, longer/3) || d >= longer {
			continue
		}
		if best == "" || d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete, replace or swap with their neighbour to get from a to b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
