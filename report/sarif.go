package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// The parts of SARIF 2.1.0 (OASIS standard of 2020-03-27) that a run fills.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string          `json:"id"`
		Short   sarifText       `json:"shortDescription"`
		Full    *sarifText      `json:"fullDescription,omitempty"`
		Help    *sarifText      `json:"help,omitempty"`
		Default sarifRuleConfig `json:"defaultConfiguration"`
		Props   sarifRuleProps  `json:"properties"`
	}
	sarifRuleConfig struct {
		Level string `json:"level"`
	}
	sarifRuleProps struct {
		Tags []string `json:"tags"`
	}
	sarifInvocation struct {
		Successful bool   `json:"executionSuccessful"`
		Start      string `json:"startTimeUtc,omitempty"`
	}
	sarifResult struct {
		Rule         string             `json:"ruleId"`
		Index        int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Start int `json:"startLine"`
		End   int `json:"endLine"`
	}
	sarifLogical struct {
		Name string `json:"name"`
		Full string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

// levels are the SARIF levels of the severities (section 3.27.10).
var levels = map[evidence.Severity]string{evidence.Blocker: "error", evidence.Major: "warning", evidence.Minor: "note", evidence.Info: "note"}

func level(s evidence.Severity) string {
	if l, ok := levels[s]; ok {
		return l
	}
	return "error"
}

// SARIF writes the findings in SARIF 2.1.0: a rule per check, a result per finding. Accepted findings are suppressed.
func SARIF(w io.Writer, in Input) error {
	driver := sarifDriver{Name: "Shakedown", Version: in.Plan.Version, URI: "https://github.com/shakedown-test/shakedown", Rules: []sarifRule{}}
	index := map[string]int{}
	rule := func(c evidence.CheckInfo) {
		if _, ok := index[c.ID]; ok {
			return
		}
		index[c.ID] = len(driver.Rules)
		r := sarifRule{ID: c.ID, Short: sarifText{c.Title}, Default: sarifRuleConfig{level(c.Severity)}}
		r.Props.Tags = append([]string{c.Risk}, c.Requirements...)
		if c.Why != "" {
			r.Full = &sarifText{c.Why}
		}
		if c.Fix != "" {
			r.Help = &sarifText{c.Fix}
		}
		driver.Rules = append(driver.Rules, r)
	}
	for _, c := range in.Plan.Checks {
		rule(c)
	}
	results := []sarifResult{}
	for _, c := range verdict.Cases(in.Plan, in.Results) {
		rule(c.Check)
		for _, f := range c.Findings {
			results = append(results, sarifOf(in.Plan.Product, c, f, index[c.Check.ID]))
		}
	}
	started, _ := in.span()
	log := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{{
		Tool: sarifTool{driver}, Results: results,
		Invocations: []sarifInvocation{{Successful: true, Start: started.UTC().Format(time.RFC3339)}},
	}}}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(log)
}

func sarifOf(product string, c verdict.Case, f evidence.Finding, rule int) sarifResult {
	name := c.Variant
	if name == "" {
		name = product
	}
	r := sarifResult{
		Rule: c.Check.ID, Index: rule, Level: level(f.Severity),
		Message:      sarifText{f.Title + ". Expected: " + f.Expected + ". Seen: " + f.Seen + "."},
		Fingerprints: map[string]string{"shakedownFinding/v1": fingerprint(c.Check.ID, c.Variant, f.Title)},
	}
	logical := []sarifLogical{{Name: name, Full: strings.TrimSuffix(product+"/"+c.Variant, "/"), Kind: "variant"}}
	for _, e := range f.Evidence {
		if uri := fileURL(e.File); uri != "" && e.First >= 0 && e.Last >= e.First {
			physical := &sarifPhysical{Artifact: sarifArtifact{uri}, Region: sarifRegion{e.First + 1, e.Last + 1}}
			r.Locations = append(r.Locations, sarifLocation{Physical: physical, Logical: logical})
		}
	}
	if len(r.Locations) == 0 {
		r.Locations = []sarifLocation{{Logical: logical}}
	}
	if f.Accepted != "" {
		r.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: f.Accepted}}
	}
	return r
}

// fingerprint tells a finding again in another run. Numbers in its title, which differ from run to run, do not matter.
func fingerprint(check, variant, title string) string {
	var b strings.Builder
	digit := false
	for _, c := range title {
		if unicode.IsDigit(c) || digit && c == '.' {
			if !digit {
				b.WriteByte('#')
			}
			digit = true
			continue
		}
		digit = false
		b.WriteRune(unicode.ToLower(c))
	}
	sum := sha256.Sum256([]byte(check + "\x00" + variant + "\x00" + b.String()))
	return hex.EncodeToString(sum[:16])
}

// fileURL is the relative URL of a file in the run folder, or empty when rel leads out of it.
func fileURL(rel string) string {
	if rel == "" || strings.ContainsAny(rel, "\\:") || !filepath.IsLocal(filepath.FromSlash(rel)) {
		return ""
	}
	return (&url.URL{Path: rel}).EscapedPath()
}

// worst is the worst severity of some findings.
func worst(findings []evidence.Finding) evidence.Severity {
	w := evidence.Info
	for _, f := range findings {
		if verdict.Rank(f.Severity) < verdict.Rank(w) {
			w = f.Severity
		}
	}
	return w
}
