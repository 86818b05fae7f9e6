package checks

import (
	_ "embed"
	"slices"
	"sync"
)

//go:embed rows.csv
var rowsCSV string

// Row is one line of the catalogue of what to try on TLS and MQTT. Checks name the rows that they carry out; a row that none carries
// out says why.
type Row struct {
	ID       string // such as "mqtt.backoff.cap"
	Subject  string // what is done or looked at
	NotBuilt string // why no check carries it out; empty when one does
}

var rows = sync.OnceValue(func() []Row {
	var all []Row
	for _, r := range register("rows.csv", rowsCSV, "id", "subject", "not_built") {
		all = append(all, Row{ID: r[0], Subject: r[1], NotBuilt: r[2]})
	}
	return all
})

// Rows returns the catalogue in its own order: TLS, then MQTT connection, delivery and malformed input, then brokers.
func Rows() []Row {
	return slices.Clone(rows())
}
