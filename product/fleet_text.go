package product

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Placeholder is a word in braces in a text of the fleet file, such as {id}, {n:06} or {ramp:15.0:30.0:10m}.
type Placeholder struct {
	Name     string
	From, To int // it is text[From:To], braces included

	Width     int           // n, tenant, child, seq: digits to fill up to with leading zeros
	Low, High int64         // ramp, random: the bounds, in units of the last decimal
	Decimals  int           // ramp, random: as many as the bound with more of them is written with
	Period    time.Duration // ramp
}

// The words that a text of the fleet file can have without a provisioning call or a CSV file giving them.
var (
	deviceWords  = []string{"class", "id", "n", "tenant"}
	messageWords = append(slices.Clone(deviceWords), "child", "seq", "time", "millis", "ramp", "random", "canary", "stamp", "fill")
)

// FindPlaceholders finds the words in braces in a text. Only what looks like one counts: a name that begins with a letter, with colons and
// arguments behind it or not; so JSON may stand as it is. A name that is neither known to every payload nor among the given names is an
// error, and so are arguments that the name does not take, and a brace that is not closed.
func FindPlaceholders(text string, given ...string) ([]Placeholder, error) {
	found, wrong := placeholders(text, append(slices.Clone(messageWords), given...))
	if len(wrong) > 0 {
		return nil, wrong[0]
	}
	return found, nil
}

// placeholders finds the words in braces that are right, and what is wrong with others.
func placeholders(text string, valid []string) (found []Placeholder, wrong []*placeholderError) {
	for at := 0; ; {
		brace := strings.IndexByte(text[at:], '{')
		if brace < 0 || len(wrong) == maxWrong {
			return found, wrong
		}
		from := at + brace
		at = from + 1
		name, after := placeholderName(text[at:])
		if name == "" {
			continue
		}
		known := slices.Contains(valid, name)
		arguments := len(after) - len(strings.TrimLeft(after, argumentSigns))
		rest := after[arguments:]
		if !strings.HasPrefix(rest, "}") || arguments > 0 && after[0] != ':' {
			if known || rest == "" {
				wrong = append(wrong, &placeholderError{name: name, unclosed: true})
			}
			continue
		}
		p := Placeholder{Name: name, From: from, To: at + len(name) + arguments + 1}
		at = p.To
		if !known {
			wrong = append(wrong, &placeholderError{name: name, valid: valid})
		} else if why := p.arguments(after[:arguments]); why != "" {
			wrong = append(wrong, &placeholderError{name: name + after[:arguments], why: why})
		} else {
			found = append(found, p)
		}
	}
}

// argumentSigns is what can stand between the name and the closing brace.
const argumentSigns = ":+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµ"

// maxWrong is how many mistakes in one text are told at most.
const maxWrong = 16

// maxWidth is the most digits to which a number is filled up.
const maxWidth = 18

// arguments reads what stands behind the name, ":1:2". It says what is wrong with it, or nothing.
func (p *Placeholder) arguments(text string) (why string) {
	var args []string
	if text != "" {
		args = strings.Split(text[1:], ":")
	}
	switch p.Name {
	case "n", "tenant", "child", "seq":
		if len(args) == 0 {
			return ""
		}
		width, err := strconv.ParseUint(args[0], 10, 8)
		if len(args) > 1 || err != nil || width < 1 || width > maxWidth {
			return fmt.Sprintf("write {%s}, or {%s:06} for six digits with leading zeros; at most %d", p.Name, p.Name, maxWidth)
		}
		p.Width = int(width)
	case "random":
		if len(args) != 2 || !p.bounds(args[0], args[1]) {
			return "write the lowest and the highest value, such as {random:0:100} or {random:-5.00:5.00}"
		}
	case "ramp":
		const how = "write where it begins, where it ends and how long it takes, such as {ramp:15.0:30.0:10m}"
		if len(args) != 3 || !p.bounds(args[0], args[1]) {
			return how
		}
		period, err := time.ParseDuration(args[2])
		if err != nil || period < time.Millisecond {
			return how
		}
		p.Period = period
	default:
		if len(args) > 0 {
			return "write {" + p.Name + "}"
		}
	}
	return ""
}

// bounds takes two decimal numbers, the lower one first, as whole numbers of the last decimal.
func (p *Placeholder) bounds(low, high string) bool {
	p.Decimals = max(decimals(low), decimals(high))
	var okLow, okHigh bool
	p.Low, okLow = scaled(low, p.Decimals)
	p.High, okHigh = scaled(high, p.Decimals)
	return okLow && okHigh && p.Low < p.High
}

func decimals(number string) int {
	_, after, _ := strings.Cut(number, ".")
	return len(after)
}

// scaled is a decimal number of at most nine digits before and six behind the point, times 10^decimals.
func scaled(number string, decimals int) (int64, bool) {
	whole, fraction, point := strings.Cut(number, ".")
	digits := strings.TrimLeft(whole, "+-")
	if len(whole)-len(digits) > 1 || digits == "" || len(digits) > 9 || point && fraction == "" || decimals > 6 || len(fraction) > decimals {
		return 0, false
	}
	x, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10, 64)
	return x, err == nil
}
