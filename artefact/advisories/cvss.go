package advisories

import (
	"math"
	"strings"
)

// osvSeverity is a rating in the OSV schema.
type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"` // a CVSS vector
}

// score is the highest base score of CVSS 3.0 or 3.1 in a list; below zero: none. Vectors of version 4 have their score in a table of
// thousands of rows and are not computed: such entries have a word as well.
func score(list []osvSeverity) float64 {
	best := -1.0
	for _, s := range list {
		if s.Type == "CVSS_V3" {
			best = max(best, cvss3(s.Score))
		}
	}
	return best
}

// weights are those of the base metrics of CVSS 3.1, section 7.4.
var weights = map[string]map[string]float64{
	"AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
	"AC": {"L": 0.77, "H": 0.44},
	"UI": {"N": 0.85, "R": 0.62},
	"C":  {"H": 0.56, "L": 0.22, "N": 0},
	"I":  {"H": 0.56, "L": 0.22, "N": 0},
	"A":  {"H": 0.56, "L": 0.22, "N": 0},
}

// privileges are the weights of PR when the scope is unchanged, and when it is changed.
var privileges = map[string][2]float64{"N": {0.85, 0.85}, "L": {0.62, 0.68}, "H": {0.27, 0.5}}

// cvss3 is the base score of a vector (CVSS 3.1, section 7.1); below zero: it is none.
func cvss3(vector string) float64 {
	m := map[string]string{}
	for word := range strings.SplitSeq(vector, "/") {
		k, v, _ := strings.Cut(word, ":")
		m[k] = v
	}
	if m["CVSS"] != "3.0" && m["CVSS"] != "3.1" {
		return -1
	}
	w := map[string]float64{}
	for metric, values := range weights {
		weight, ok := values[m[metric]]
		if !ok {
			return -1
		}
		w[metric] = weight
	}
	pr, ok := privileges[m["PR"]]
	changed := m["S"] == "C"
	if !ok || m["S"] != "U" && !changed {
		return -1
	}
	iss := 1 - (1-w["C"])*(1-w["I"])*(1-w["A"])
	impact, p := 6.42*iss, pr[0]
	if changed {
		impact, p = 7.52*(iss-0.029)-3.25*math.Pow(iss-0.02, 15), pr[1]
	}
	if impact <= 0 {
		return 0
	}
	sum := impact + 8.22*w["AV"]*w["AC"]*p*w["UI"]
	if changed {
		sum *= 1.08
	}
	return roundUp(min(sum, 10))
}

// roundUp is that of CVSS 3.1, appendix A.
func roundUp(x float64) float64 {
	n := math.Round(x * 100_000)
	if math.Mod(n, 10_000) == 0 {
		return n / 100_000
	}
	return (math.Floor(n/10_000) + 1) / 10
}
