package checks

import (
	"embed"
	"io/fs"
	"slices"
	"sync"
)

//go:embed rows*.csv
var rowsFiles embed.FS

// Row is one line of the catalogue of what to try. Checks name the rows that they carry out; a row that none carries
// out says why.
type Row struct {
	ID       string // such as "mqtt.backoff.cap"
	Subject  string // what is done or looked at
	NotBuilt string // why no check carries it out; empty when one does
}

var rows = sync.OnceValue(func() []Row {
	var all []Row
	files, err := fs.Glob(rowsFiles, "*.csv")
	if err != nil {
		panic(err) // the pattern is right
	}
	for _, name := range files {
		text, err := rowsFiles.ReadFile(name)
		if err != nil {
			panic(err) // it is part of the program
		}
		for _, r := range register(name, string(text), "id", "subject", "not_built") {
			all = append(all, Row{ID: r[0], Subject: r[1], NotBuilt: r[2]})
		}
	}
	return all
})

// Rows returns the catalogue in its own order: TLS, MQTT connection, delivery and malformed input, brokers; then one file for each
// further subject.
func Rows() []Row {
	return slices.Clone(rows())
}
