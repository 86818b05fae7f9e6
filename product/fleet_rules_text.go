package product

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// vocabulary is the names that the file itself gives to texts of a class.
type vocabulary struct {
	names []string
	open  bool // there are names that are not known here: the CSV file is not looked at
}

// of is what may stand in braces where the usual words are these.
func (w vocabulary) of(usual []string) []string { return append(slices.Clone(usual), w.names...) }

var topicWords = append(slices.Clone(deviceWords), "child", "seq", "random")

// givenWords reads what gives names to the texts of a class: its CSV file and its provisioning calls.
func (l *loader) givenWords(c *Class, at string) vocabulary {
	var w vocabulary
	if file, path := c.Identity.CSV, at+"/identity/csv"; file != "" {
		columns, err := l.columns(file)
		l.reported(path, err)
		w = vocabulary{names: columns, open: columns == nil}
	}
	for i, call := range c.Provision {
		at := join(at+"/provision", strconv.Itoa(i))
		l.callRules(&call, at, w)
		for _, name := range slices.Sorted(maps.Keys(call.Take)) {
			if err := nameRule(name, w.names); err != nil {
				l.reported(at+"/take/"+name, err)
				continue
			}
			w.names = append(w.names, name)
			if !jsonPath(call.Take[name]) && l.has(at+"/take/"+name) {
				l.fault(at+"/take/"+name, fmt.Sprintf("%s is not a path in JSON", short(call.Take[name])), "such as credentials.password, or items.0.id: keys and numbers of items, with dots between")
			}
		}
	}
	for i, call := range c.Update {
		at := join(at+"/update", strconv.Itoa(i))
		l.callRules(&call, at, w)
		if l.has(at + "/take") {
			l.fault(at+"/take", "nothing is taken from an update", "delete the key, or take it in provision:")
		}
	}
	return w
}

// columns reads the names of the columns of a CSV file; nil when nothing opens files here, or with the error.
func (l *loader) columns(file string) ([]string, error) {
	if l.known.Open == nil {
		return nil, nil
	}
	r, err := l.known.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%w\nhint: the path is from the folder that shakedown is started in", err)
	}
	defer r.Close()
	rows, err := readRows(r, file, 0)
	if err != nil {
		return nil, err
	}
	return rows.Columns, nil
}

// nameRule says whether a name can be given to what stands in braces, beside those that are there already.
func nameRule(name string, others []string) error {
	switch got, rest := placeholderName(name); {
	case got == "" || rest != "":
		return fmt.Errorf("%s cannot be a placeholder\nhint: use letters, digits, dots, dashes and underscores, beginning with a letter", short(name))
	case slices.Contains(messageWords, name):
		return fmt.Errorf("{%s} has a meaning of its own already\nhint: give it another name", name)
	case slices.Contains(others, name):
		return fmt.Errorf("{%s} is given twice\nhint: give one of them another name", name)
	}
	return nil
}

func jsonPath(path string) bool {
	keys := strings.Split(path, ".")
	return len(keys) <= maxNesting && !slices.Contains(keys, "")
}

// words notes what may not stand in braces in a text. It says whether all is right.
func (l *loader) words(path, text string, valid []string, w vocabulary) bool {
	_, wrong := placeholders(text, valid)
	right := true
	for _, bad := range wrong {
		written := !bad.unclosed && bad.why == "" // as it should be, but not where it should be
		known := slices.Contains(messageWords, bad.name)
		if written && !known && w.open {
			continue
		}
		right = false
		if written && known {
			l.faultWithin(path, "{"+bad.name, fmt.Sprintf("{%s} cannot stand here", bad.name), DidYouMean(bad.name, valid))
			continue
		}
		l.faultWithin(path, "{"+bad.name, bad.Error(), bad.hint())
	}
	return right
}

// postRules is about one message. The valid words are those of its payload.
func (l *loader) postRules(c *Class, p *Post, at string, valid []string, w vocabulary) {
	l.qos(at+"/qos", p.QoS)
	oneOf(l, at+"/encoding", "encoding", p.Encoding, encodings)
	if l.words(at+"/topic", p.Topic, w.of(topicWords), w) {
		l.topicRule(c, p.Topic, at+"/topic")
	}
	sized := l.within(at+"/size", p.Size, 1, maxPayload, "bytes")
	if len(p.Payload) > maxPayload {
		l.fault(at+"/payload", fmt.Sprintf("a payload of %d bytes; at most %d are sent", len(p.Payload), maxPayload), "fill it up with {fill} and size:")
		return
	}
	right := l.words(at+"/payload", p.Payload, valid, w)
	for path, text := range map[string]string{at + "/topic": p.Topic, at + "/payload": p.Payload} {
		if c.Children == 0 && strings.Contains(text, "{child") && right {
			l.faultWithin(path, "{child", "{child} in a class without children", "add children: with how many there are behind a hub")
		}
	}
	if l.known.Payload == nil || !right || w.open || p.Payload == "" || p.Encoding != "" && !slices.Contains(encodings, p.Encoding) || l.has(at+"/size") && !sized {
		return
	}
	l.reported(at+"/payload", l.known.Payload(p.Payload, p.Encoding, p.Size, w.names...))
}

// topicRule holds a topic against MQTT, or a path against what CoAP and HTTP have.
func (l *loader) topicRule(c *Class, text, path string) {
	if slices.Contains([]Protocol{COAP, COAPS, HTTP, HTTPS}, c.Transport) {
		if _, err := url.Parse(text); err != nil || !strings.HasPrefix(text, "/") || strings.Contains(text, "#") {
			l.fault(path, fmt.Sprintf("%s is not a path", short(text)), "such as /telemetry")
		}
		return
	}
	l.topicForm(path, text, false)
}

func (l *loader) callRules(call *Call, at string, w vocabulary) {
	if l.words(at+"/url", call.URL, w.of(deviceWords), w) && call.URL != "" {
		u, err := url.Parse(call.URL)
		absolute := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
		if !absolute && !strings.HasPrefix(call.URL, "/") || err != nil {
			l.fault(at+"/url", fmt.Sprintf("%s is not a URL", short(call.URL)), "such as https://api.example.com/claim, or /claim at the api: of the cloud or at a target that is HTTP")
		}
	}
	oneOf(l, at+"/method", "method", call.Method, methods)
	for _, name := range slices.Sorted(maps.Keys(call.Headers)) {
		path := at + "/headers/" + name
		l.words(path, call.Headers[name], w.of(deviceWords), w)
		if name == "" || strings.Trim(name, headerSigns) != "" || strings.ContainsAny(call.Headers[name], "\r\n\x00") {
			l.fault(path, fmt.Sprintf("%s cannot be a header", short(name)), "write Name: value, on one line")
		}
	}
	l.words(at+"/body", call.Body, w.of(callWords), w)
	if l.has(at+"/status") && (call.Status < 200 || http.StatusText(call.Status) == "") {
		l.fault(at+"/status", fmt.Sprintf("HTTP has no answer with status %d", call.Status), "such as 201; without the key any of 200 to 299 is right")
	}
}

// headerSigns are what the name of a header is made of: RFC 9110 section 5.6.2.
const headerSigns = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// callWords are the words in the body of a provisioning call.
var callWords = append(slices.Clone(deviceWords), "time", "millis", "random", "canary")

func (l *loader) identityRules(c *Class, at string, w vocabulary) {
	i := &c.Identity
	before := slices.DeleteFunc(slices.Clone(deviceWords), func(s string) bool { return s == "id" })
	if l.words(at+"/id", i.ID, w.of(before), w) && i.ID != "" && !distinct(i.ID, w) {
		l.fault(at+"/id", "all devices of the class would have the same id", "write {n} where its number belongs")
	}
	for key, text := range map[string]string{"user": i.User, "password": i.Password, "token": i.Token, "cert": i.Cert, "key": i.Key, "psk": i.PSK} {
		l.words(at+"/"+key, text, w.of(deviceWords), w)
	}
	switch {
	case i.CA != "" && (i.Cert != "" || i.Key != ""):
		l.fault(at+"/ca", "ca makes a certificate for each device, and there is one already", "give ca, or cert and key")
	case (i.Cert == "") != (i.Key == ""):
		l.fault(at, "cert and key belong together", "give both, or none")
	}
	if key, err := hex.DecodeString(i.PSK); i.PSK != "" && !strings.Contains(i.PSK, "{") && (err != nil || len(key) < 8) {
		l.fault(at+"/psk", "not a key of 8 bytes or more in hex", "such as psk: 00112233445566778899aabbccddeeff")
	}
}

// distinct reports whether a text can differ from device to device.
func distinct(text string, w vocabulary) bool {
	found, wrong := placeholders(text, w.of(deviceWords))
	return len(wrong) > 0 || slices.ContainsFunc(found, func(p Placeholder) bool { return p.Name != "class" && p.Name != "tenant" })
}
