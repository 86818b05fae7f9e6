package product

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// scalar fills a value that is not made of others.
func (l *loader) scalar(n *node, v reflect.Value, f field, path string) {
	if n.kind == mappingKind || n.kind == listKind {
		l.wrong(n, path, wanted(v, f))
		return
	}
	var err error
	switch v.Interface().(type) {
	case Date:
		var d Date
		d.Time, err = parseDate(n.text)
		v.Set(reflect.ValueOf(d))
	case Duration:
		var d Duration
		d, err = parseDuration(n.text)
		v.Set(reflect.ValueOf(d))
	default:
		l.basic(n, v, f, path)
		return
	}
	if err != nil {
		l.refused[path] = true
		l.add(n.line, n.column, fmt.Sprintf("%s: %v", subject(path), err), "write "+wanted(v, f))
	}
}

// basic fills text, numbers and booleans.
func (l *loader) basic(n *node, v reflect.Value, f field, path string) {
	ok := false
	switch v.Kind() {
	case reflect.String:
		if ok = n.kind == textKind || n.kind == numberKind; ok {
			v.SetString(n.text)
			if f.required && strings.TrimSpace(n.text) == "" {
				l.fault(path, subject(path)+" is empty", "")
			}
		}
	case reflect.Bool:
		if ok = n.kind == boolKind; ok {
			v.SetBool(strings.EqualFold(n.text, "true"))
		}
	case reflect.Int:
		i, err := strconv.ParseInt(n.text, 10, 32)
		if ok = n.kind == numberKind && err == nil; ok {
			v.SetInt(i)
		}
	case reflect.Float64:
		x, err := 0.0, error(nil)
		if f.percent {
			x, err = parseShare(n.text)
		} else {
			x, err = strconv.ParseFloat(n.text, 64)
		}
		if ok = err == nil && !math.IsNaN(x) && !math.IsInf(x, 0); ok {
			v.SetFloat(x)
		}
	}
	if !ok {
		l.wrong(n, path, wanted(v, f))
	}
}

// wanted says what is to be written for a type.
func wanted(v reflect.Value, f field) string {
	switch v.Interface().(type) {
	case Date:
		return "a day such as 2027-03-31"
	case Duration:
		return "a span of time such as 90s, 2m30s or 48h"
	}
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		if f.percent {
			return "a share such as 70 % or 0.7"
		}
		return "a number"
	}
	return "text"
}

func parseDate(s string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is not a day of the calendar", short(s))
	}
	return t, nil
}

func parseDuration(s string) (Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is not a span of time", short(s))
	case d <= 0:
		return 0, fmt.Errorf("%s is not longer than nothing", short(s))
	}
	return Duration(d), nil
}

// parseShare reads "70 %", "70%" and "0.7". Anything above 100 % is left to the rules, which say more about it.
func parseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		x /= 100
	}
	return x, err
}

// String writes the day as YYYY-MM-DD; none is "".
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// String writes the span as Go does: "1m30s".
func (d Duration) String() string { return time.Duration(d).String() }
