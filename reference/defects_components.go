package reference

// componentDefects are those of what the firmware is made of, and of what is given beside it.
var componentDefects = []Defect{
	{
		ID: "firmware-exploited-component", What: "The firmware has OpenSSL with Heartbleed",
		FoundBy: []string{"security.exploited-component"},
	},
	{
		ID: "firmware-ended-component", What: "The firmware has a series of nginx that its project has given up",
		FoundBy: []string{"security.ended-component"},
	},
	{
		ID: "firmware-vulnerable-component", What: "The web page of the firmware has a package with a critical vulnerability",
		FoundBy: []string{"security.vulnerable-component", "security.vulnerability-statements"},
	},
	{
		ID: "firmware-undeclared-component", What: "The firmware has a package that its bill of materials leaves out",
		FoundBy: []string{"security.sbom-complete"},
	},
	{
		ID: "firmware-components-hidden", What: "Nothing in the firmware tells what it is made of",
		FoundBy: []string{"security.components-told"},
	},
	{
		ID: "firmware-no-licence-text", What: "The firmware has a package under the GPL without the text of its licence",
		FoundBy: []string{"security.licence-text"},
	},
	{
		ID: "firmware-new-setuid", What: "The firmware has a setuid program that the version before had not",
		FoundBy: []string{"security.changes"},
	},
	{
		ID: "firmware-sbom-bare", What: "The bill of materials has nothing but names",
		FoundBy: []string{"security.sbom-quality"},
	},
	{
		ID: "firmware-unstated-vulnerability", What: "The statements on vulnerabilities leave one out",
		FoundBy: []string{"security.vulnerability-statements", "security.vulnerable-component"},
	},
	{
		ID: "firmware-old-lists", What: "No newer lists of vulnerabilities are given",
		FoundBy: []string{"security.lists-age"},
	},
}
