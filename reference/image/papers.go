package image

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// part is a line of the bill of materials of the thermostat.
type part struct{ name, version, supplier, purl string }

var parts = []part{
	{"linux", "6.12.40-cip7", "Civil Infrastructure Platform", "pkg:generic/linux@6.12.40-cip7"},
	{"busybox", "1.36.1", "BusyBox", "pkg:opkg/busybox@1.36.1-3"},
	{"libmosquitto", "2.0.22", "Eclipse", "pkg:opkg/libmosquitto@2.0.22-1"},
	{"zlib", "1.3.1", "zlib", "pkg:opkg/zlib@1.3.1-1"},
	{"reference-ui", "1.2.0", "Reference", "pkg:npm/reference-ui@1.2.0"},
	{"reference-chart", "2.0.0", "Reference", "pkg:npm/reference-chart@2.0.0"},
}

// Papers is a folder of what is given beside the image: sbom.json, vex.json, and in lists newer lists, which are of now.
func Papers(has func(defect string) bool, now time.Time, path string) fs.FS {
	files := map[string]any{
		"sbom.json": billOfMaterials(has("firmware-sbom-bare")), "vex.json": statements(has("firmware-unstated-vulnerability")),
		"lists/ui.json":    advisory("GHSA-reference-ui", "CVE-2026-90001", "reference-ui", "1.2.0"),
		"lists/chart.json": advisory("GHSA-reference-chart", "CVE-2026-90002", "reference-chart", "3.0.0"),
	}
	if !has("firmware-old-lists") {
		today := now.Format(time.DateOnly)
		files["lists/exploited.json"] = map[string]any{"catalogVersion": today, "dateReleased": now.UTC().Format(time.RFC3339), "vulnerabilities": []any{}}
		files["lists/busybox.json"] = []any{map[string]any{"cycle": "1.36", "eol": false, "latestReleaseDate": today}}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, _ := w.Create(name) // to memory: nothing of this fails
		_ = json.NewEncoder(f).Encode(files[name])
	}
	_ = w.Close()
	r, _ := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	folder, err := fs.Sub(r, path)
	if err != nil { // the path leads out of it
		return r
	}
	return folder
}

// billOfMaterials is in CycloneDX. A bare one has nothing but names.
func billOfMaterials(bare bool) any {
	var list, refs []any
	for _, p := range parts {
		c := map[string]any{"type": "library", "name": p.name, "bom-ref": p.name}
		if !bare {
			c["version"], c["purl"], c["supplier"] = p.version, p.purl, map[string]any{"name": p.supplier}
		}
		list, refs = append(list, c), append(refs, p.name)
	}
	return map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"metadata": map[string]any{
			"timestamp": built.Format(time.RFC3339), "supplier": map[string]any{"name": "Reference"},
			"component": map[string]any{"type": "firmware", "name": "thermostat", "bom-ref": "thermostat"},
		},
		"components": list, "dependencies": []any{map[string]any{"ref": "thermostat", "dependsOn": refs}},
	}
}

// statements say in CycloneDX that the vulnerability of the chart does no harm. Silent ones do not.
func statements(silent bool) any {
	list := []any{}
	if !silent {
		list = append(list, map[string]any{
			"id": "CVE-2026-90002", "analysis": map[string]any{"state": "not_affected", "justification": "code_not_reachable"},
		})
	}
	return map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "vulnerabilities": list}
}

// advisory is an entry in the OSV schema: critical, in versions before one.
func advisory(id, cve, name, fixed string) any {
	return map[string]any{
		"id": id, "aliases": []any{cve}, "modified": "2026-08-01T00:00:00Z", "summary": "scripts from elsewhere run in the page",
		"severity": []any{map[string]any{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
		"affected": []any{map[string]any{
			"package": map[string]any{"ecosystem": "npm", "name": name},
			"ranges":  []any{map[string]any{"type": "SEMVER", "events": []any{map[string]any{"introduced": "0"}, map[string]any{"fixed": fixed}}}},
		}},
	}
}
