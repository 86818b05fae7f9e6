//go:build !unix

package cli

// openFiles has nothing to look at: this system sets no such limit.
func openFiles() symptom {
	return symptom{What: "open files", OK: true, Seen: "not limited", For: "many checks at once"}
}
