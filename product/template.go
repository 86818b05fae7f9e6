package product

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"
	"text/template"
)

// TemplateOptions is what shakedown init knows about the product. Empty values are filled with examples.
type TemplateOptions struct {
	Name           string
	Driver         string   // of the device: process, external, human or exec
	Command        string   // process: the command line; exec: that of the control program; quotes keep words together
	Protocol       Protocol // MQTT or MQTTS
	Telemetry      string   // topic filter
	CommandTopic   string   // empty: the command is left as a comment
	CommandPayload string
	Effect         Effect // needed with CommandTopic
}

//go:embed template.yaml.tmpl
var templateText string

// Template is a product file to start with, each section explained. It loads without mistakes if the options are themselves right.
func Template(o TemplateOptions) []byte {
	if o.Name == "" {
		o.Name = "my product"
	}
	if o.Driver == "" {
		o.Driver = "process"
	}
	if o.Protocol == "" {
		o.Protocol = MQTTS
	}
	if o.Command == "" {
		o.Command = exampleCommand(o)
	}
	if o.CommandTopic != "" && o.CommandPayload == "" {
		o.CommandPayload = `{"n": {n}}`
	}
	var b bytes.Buffer
	if err := parsedTemplate.Execute(&b, o); err != nil {
		panic(err) // the template is part of the program, and a buffer takes everything
	}
	return b.Bytes()
}

func exampleCommand(o TemplateOptions) string {
	switch {
	case o.Driver == "exec":
		return "./bench-control"
	case o.Protocol == MQTTS:
		return "./device --broker {broker.host}:{broker.port} --ca {ca.file} --id {device.id}"
	}
	return "./device --broker {broker.host}:{broker.port} --id {device.id}"
}

var parsedTemplate = template.Must(template.New("product").Funcs(template.FuncMap{"quote": quote, "words": words}).Parse(templateText))

// quote writes text as JSON does, which YAML reads as it is.
func quote(s string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// words writes a command line as a YAML list. Words are split at blanks outside single and double quotes.
func words(line string) (string, error) {
	var list []string
	var word strings.Builder
	open, quoted := false, rune(0)
	for _, r := range line {
		switch {
		case quoted != 0 && r == quoted:
			quoted = 0
		case quoted == 0 && (r == '"' || r == '\''):
			open, quoted = true, r
		case quoted == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if open {
				list = append(list, word.String())
			}
			open = false
			word.Reset()
		default:
			open = true
			word.WriteRune(r)
		}
	}
	if open {
		list = append(list, word.String())
	}
	for i, w := range list {
		text, err := quote(w)
		if err != nil {
			return "", err
		}
		list[i] = text
	}
	return "[" + strings.Join(list, ", ") + "]", nil
}
