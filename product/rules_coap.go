package product

import (
	"encoding/hex"
	"fmt"
	"strings"
)

func (l *loader) coapRules(c *CoAPPart, at string) {
	if c == nil {
		return
	}
	l.path(at+"/telemetry", c.Telemetry)
	l.path(at+"/resource", c.Resource)
	if c.Sequence != "" {
		_, err := CompileSequence(c.Sequence)
		l.expression(at+"/sequence", err)
	}
	if c.Port < 0 || c.Port > 65535 {
		l.fault(at+"/port", fmt.Sprintf("%d is no port", c.Port), "5683 is that of CoAP")
	}
	for key, d := range map[string]*Document{"config": c.Config, "settings": c.Settings, "action": c.Action} {
		if d == nil {
			continue
		}
		l.path(at+"/"+key+"/path", d.Path)
		if d.Shows != "" {
			_, err := CompileValue(d.Shows)
			l.expression(at+"/"+key+"/shows", err)
		}
		if c.Telemetry == "" {
			l.fault(at+"/"+key+"/shows", "it shows in measurements, and there is no telemetry", "add telemetry: with the path to which the device posts")
		}
	}
	if key, err := hex.DecodeString(c.Key); err != nil || c.Key != "" && len(key) < 8 {
		l.fault(at+"/key", "not a key of 8 bytes or more in hex", "such as key: 00112233445566778899aabbccddeeff")
	}
}

// path holds the path of a resource against RFC 7252 section 6.
func (l *loader) path(path, text string) {
	if text == "" {
		return
	}
	l.expandable(path, text, map[string]string{"id": ""})
	if !strings.HasPrefix(text, "/") || strings.ContainsAny(text, "#") {
		l.fault(path, fmt.Sprintf("%s is not a path", short(text)), "such as /telemetry")
	}
}
