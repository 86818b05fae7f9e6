package evidence

import "regexp"

// longestKey is how many console lines a private key may have; a part that does not print its end is not blanked for ever.
const longestKey = 200

var (
	keyBegins = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	keyEnds   = regexp.MustCompile(`-----END [A-Z ]*PRIVATE KEY-----`)
)

// openKeys are the parts that are printing a private key, with how many more lines may belong to it.
type openKeys map[string]int

// blank blanks a console line within a private key. Each line is an event, and nothing in it tells what it belongs to.
func (k openKeys) blank(e Event) Event {
	if e.Kind != Console {
		return e
	}
	ends := keyEnds.MatchString(e.Text)
	switch {
	case keyBegins.MatchString(e.Text): // Redact blanks what follows in the same line
		if !ends {
			k[e.Part] = longestKey
		}
	case ends:
		delete(k, e.Part)
	case k[e.Part] > 0:
		k[e.Part]--
		e.Text, e.Hex, e.Data = Blank, "", nil
	}
	return e
}
