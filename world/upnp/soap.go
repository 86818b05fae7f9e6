package upnp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// Bounds of a SOAP request.
const (
	maxBody  = 16 << 10
	maxDepth = 8
	maxArgs  = 32
)

// ParseAction reads the body of a SOAP request: the action, and its arguments by name.
func ParseAction(body []byte) (action string, args map[string]string, err error) {
	if len(body) > maxBody {
		return "", nil, fmt.Errorf("parse SOAP request: more than %d bytes", maxBody)
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	var path []string
	args = map[string]string{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, fmt.Errorf("parse SOAP request: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			if len(path) > maxDepth {
				return "", nil, fmt.Errorf("parse SOAP request: more than %d levels", maxDepth)
			}
			if len(path) == 3 && path[0] == "Envelope" && path[1] == "Body" && action == "" {
				action = t.Name.Local
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) == 4 && path[2] == action {
				if len(args) >= maxArgs {
					return "", nil, fmt.Errorf("parse SOAP request: more than %d arguments", maxArgs)
				}
				args[path[3]] += strings.TrimSpace(string(t))
			}
		}
	}
	if action == "" {
		return "", nil, errors.New("parse SOAP request: no action in Envelope and Body")
	}
	return action, args, nil
}

// serve answers HTTP.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	b := g.behaviour()
	switch {
	case b.Absent:
		http.Error(w, "gone", http.StatusNotFound)
	case r.Method == http.MethodGet && r.URL.Path == "/description.xml":
		g.add(evidence.In, "description fetched by "+r.RemoteAddr, nil)
		g.write(w, b, http.StatusOK, g.description(b))
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/control/"):
		g.control(w, r, b)
	default:
		http.NotFound(w, r)
	}
}

// garbage is what a Gateway says that speaks garbage: it begins well, and is cut short in the middle of a tag.
const garbage = "<?xml version=\"1.0\"?>\n<root><device><<&\x00\xff deviceType>urn:schemas-upnp-org:dev"

func (g *Gateway) write(w http.ResponseWriter, b Behaviour, status int, body string) {
	if b.Garbage {
		body = garbage
	}
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.Header().Set("Server", "Linux/5.10 UPnP/1.1 shakedown/1")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // who went away learns nothing
}

// control carries an action out.
func (g *Gateway) control(w http.ResponseWriter, r *http.Request, b Behaviour) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		var call *Call
		if call, err = newCall(body, r.RemoteAddr); err == nil {
			g.add(evidence.In, call.String(), call.snapshot())
			if g.o.Clock.Sleep(r.Context(), b.Slow) != nil {
				return
			}
			out := g.perform(call, r.URL.Path, b)
			g.add(evidence.Out, call.outcome(), call.snapshot())
			g.reply(w, b, call, out)
			return
		}
	}
	g.o.Log.Add(evidence.Event{Part: g.o.Part, Kind: evidence.Bad, Text: fmt.Sprintf("%s: %v", r.RemoteAddr, err), Size: len(body)})
	http.Error(w, "bad request", http.StatusBadRequest)
}

// argument is one of an answer.
type argument struct{ name, value string }

func (g *Gateway) reply(w http.ResponseWriter, b Behaviour, call *Call, out []argument) {
	const head = `<?xml version="1.0"?>` + "\n" +
		`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>`
	var s strings.Builder
	s.WriteString(head)
	status := http.StatusOK
	if call.Error != 0 {
		status = http.StatusInternalServerError
		fmt.Fprintf(&s, `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode><errorDescription>%s</errorDescription></UPnPError></detail></s:Fault>`,
			call.Error, errorTexts[call.Error])
	} else {
		fmt.Fprintf(&s, `<u:%sResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:%d">`, call.Action, b.version())
		for _, a := range out {
			fmt.Fprintf(&s, "<%s>", a.name)
			_ = xml.EscapeText(&s, []byte(a.value)) // a strings.Builder takes everything
			fmt.Fprintf(&s, "</%s>", a.name)
		}
		fmt.Fprintf(&s, "</u:%sResponse>", call.Action)
	}
	s.WriteString("</s:Body></s:Envelope>")
	g.write(w, b, status, s.String())
}
