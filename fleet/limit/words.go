package limit

import (
	"math"
	"strconv"
	"strings"
)

// Seconds is a time in the unit that suits it, with three digits: "820 µs", "3.2 s", "4 min 5 s".
func Seconds(s float64) string {
	switch {
	case s < 0.00095:
		return digits(s*1e6) + " µs"
	case s < 0.9995:
		return digits(s*1e3) + " ms"
	case s < 120:
		return digits(s) + " s"
	}
	whole := int64(math.Round(s))
	text := strconv.FormatInt(whole/60, 10) + " min"
	if whole%60 > 0 {
		text += " " + strconv.FormatInt(whole%60, 10) + " s"
	}
	return text
}

// digits is a number with three digits and no zeros at its end.
func digits(v float64) string {
	decimals := 0
	if v > 0 {
		decimals = max(0, 2-int(math.Floor(math.Log10(v))))
	}
	text := strconv.FormatFloat(v, 'f', min(decimals, 3), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// number is a whole number with commas.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// percent is a share; what is more than nothing does not look like it.
func percent(share float64) string {
	if share > 0 && share < 0.00001 {
		return "less than 0.001 %"
	}
	if share < 1 && share > 0.9999 {
		return "more than 99.99 %"
	}
	return digits(share*100) + " %"
}
