package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Statement is what a maker says of one vulnerability.
type Statement struct {
	ID     string // of the vulnerability, in upper case where it is a CVE
	Harmed bool   // the product is affected, and not mended: the statement warns, and does not calm
	State  string // as the document has it: "not_affected", "resolved", "in_triage"
	Why    string // justification or impact statement; may be empty
}

// ErrVEX says that a document has no statements in a way that is known.
var ErrVEX = errors.New("neither CycloneDX, OpenVEX nor CSAF with vulnerabilities, in JSON")

const mostStatements = 100_000

// ReadVEX reads statements on vulnerabilities.
func ReadVEX(data []byte) ([]Statement, error) {
	if len(data) > Largest {
		return nil, fmt.Errorf("it is larger than %d bytes", Largest)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var d struct {
		Format          string            `json:"bomFormat"`
		Context         json.RawMessage   `json:"@context"`
		Document        json.RawMessage   `json:"document"`
		Vulnerabilities []json.RawMessage `json:"vulnerabilities"`
		Statements      []json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVEX, err)
	}
	read, list := (func(json.RawMessage) []Statement)(nil), d.Vulnerabilities
	switch {
	case d.Format == "CycloneDX":
		read = cycloneStatement
	case strings.Contains(string(d.Context), "openvex"):
		read, list = openStatement, d.Statements
	case len(d.Document) > 0 && list != nil:
		read = csafStatement
	default:
		return nil, ErrVEX
	}
	var all []Statement
	for _, raw := range list[:min(len(list), mostStatements)] {
		all = append(all, read(raw)...)
	}
	return all, nil
}

func cycloneStatement(raw json.RawMessage) []Statement {
	var v struct {
		ID       string `json:"id"`
		Analysis *struct {
			State, Justification, Detail string
		} `json:"analysis"`
	}
	if json.Unmarshal(raw, &v) != nil || v.ID == "" || v.Analysis == nil || v.Analysis.State == "" {
		return nil
	}
	a := v.Analysis
	return []Statement{{
		ID: strings.ToUpper(v.ID), State: a.State, Why: firstOf(a.Justification, a.Detail),
		Harmed: a.State == "exploitable" || a.State == "in_triage",
	}}
}

func openStatement(raw json.RawMessage) []Statement {
	var v struct {
		Vulnerability json.RawMessage `json:"vulnerability"`
		Status        string          `json:"status"`
		Justification string          `json:"justification"`
		Impact        string          `json:"impact_statement"`
	}
	if json.Unmarshal(raw, &v) != nil || v.Status == "" {
		return nil
	}
	var name string
	if json.Unmarshal(v.Vulnerability, &name) != nil {
		var o struct {
			Name string `json:"name"`
			ID   string `json:"@id"`
		}
		if json.Unmarshal(v.Vulnerability, &o) != nil {
			return nil
		}
		name = firstOf(o.Name, o.ID)
	}
	return []Statement{{
		ID: strings.ToUpper(name), State: v.Status, Why: firstOf(v.Justification, v.Impact),
		Harmed: v.Status == "affected" || v.Status == "under_investigation",
	}}
}

func csafStatement(raw json.RawMessage) []Statement {
	var v struct {
		CVE    string                     `json:"cve"`
		Status map[string]json.RawMessage `json:"product_status"`
	}
	if json.Unmarshal(raw, &v) != nil || v.CVE == "" || len(v.Status) == 0 {
		return nil
	}
	s := Statement{ID: strings.ToUpper(v.CVE)}
	for _, state := range []string{"known_affected", "under_investigation", "known_not_affected", "fixed", "first_fixed"} {
		if _, ok := v.Status[state]; ok {
			s.State, s.Harmed = state, state == "known_affected" || state == "under_investigation"
			return []Statement{s}
		}
	}
	return nil
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
