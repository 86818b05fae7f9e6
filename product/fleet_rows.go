package product

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Rows is what a CSV file says of the devices of a class: a line for each, under a line with the names of the columns.
type Rows struct {
	Columns []string
	text    string // all fields, one behind the other
	ends    []uint32
}

// What a CSV file may be at most.
const (
	maxColumns = 64
	maxField   = 8 << 10
	maxRows    = 512 << 20 // bytes of all fields
)

// ReadRows reads the CSV file of a class with so many devices: it has a line for each of them, and may have more, which are not read.
// The name is used in errors only.
func ReadRows(r io.Reader, name string, devices int) (*Rows, error) {
	rows, err := readRows(r, name, devices)
	if err == nil && rows.Len() < devices {
		return nil, fmt.Errorf("%s has %d lines of values, and there are %d devices\nhint: write a line for each, or set devices: to %d", name, rows.Len(), devices, rows.Len())
	}
	return rows, err
}

// readRows reads the columns, and at most so many lines of values.
func readRows(r io.Reader, name string, most int) (*Rows, error) {
	in := csv.NewReader(io.LimitReader(r, 2*maxRows))
	in.ReuseRecord = true
	in.FieldsPerRecord = 0
	record, err := in.Read()
	if err != nil {
		return nil, rowError(name, err)
	}
	out := &Rows{}
	if len(record) > maxColumns {
		return nil, fmt.Errorf("%s:1: %d columns; at most %d are read", name, len(record), maxColumns)
	}
	for i, column := range record {
		if i == 0 {
			column = strings.TrimPrefix(column, "\ufeff")
		}
		column = strings.Clone(strings.TrimSpace(column))
		if err := nameRule(column, out.Columns); err != nil {
			return nil, fmt.Errorf("%s:1: column %d: %w", name, i+1, err)
		}
		out.Columns = append(out.Columns, column)
	}
	var text strings.Builder
	for range most {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, rowError(name, err)
		}
		for i, field := range record {
			if len(field) > maxField || !utf8.ValidString(field) || strings.ContainsRune(field, 0) {
				line, _ := in.FieldPos(i)
				return nil, fmt.Errorf("%s:%d: column %s: not text in UTF-8 of at most %d bytes", name, line, out.Columns[i], maxField)
			}
			text.WriteString(field)
			out.ends = append(out.ends, uint32(text.Len()))
		}
		if text.Len() > maxRows {
			return nil, fmt.Errorf("%s has more than %d bytes", name, maxRows)
		}
	}
	out.text = text.String()
	return out, nil
}

func rowError(name string, err error) error {
	var bad *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s is empty\nhint: its first line names the columns", name)
	case errors.As(err, &bad):
		if errors.Is(bad.Err, csv.ErrFieldCount) {
			return fmt.Errorf("%s:%d: not as many values as there are columns", name, bad.Line)
		}
		return fmt.Errorf("%s:%d: %w", name, bad.Line, bad.Err)
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// Len is how many lines of values there are.
func (r *Rows) Len() int {
	if r == nil || len(r.Columns) == 0 {
		return 0
	}
	return len(r.ends) / len(r.Columns)
}

// Append appends the values of line i, from 0, in the order of the columns. They stay valid, and take no memory of their own.
func (r *Rows) Append(dst []string, i int) []string {
	for k := i * len(r.Columns); k < (i+1)*len(r.Columns); k++ {
		from := uint32(0)
		if k > 0 {
			from = r.ends[k-1]
		}
		dst = append(dst, r.text[from:r.ends[k]])
	}
	return dst
}
