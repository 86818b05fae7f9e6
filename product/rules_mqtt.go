package product

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

func (l *loader) mqttRules(m *MQTTPart, at string) {
	if m == nil {
		return
	}
	oneOf(l, at+"/version", "version of MQTT", m.Version, mqttVersions)
	l.topic(at+"/telemetry", m.Telemetry, true)
	l.topic(at+"/status", m.Status, true)
	if m.Sequence != "" {
		_, err := CompileSequence(m.Sequence)
		l.expression(at+"/sequence", err)
	}
	if e := m.Expiring; e != nil {
		if !strings.Contains(e.Payload, "{until}") {
			l.fault(at+"/expiring", "the payload does not say until when it holds", "write {until} where the end stands, in Unix seconds")
		}
		if m.Command == nil {
			l.fault(at+"/expiring", "it is a payload of the command, and none is declared", "add command:")
		}
	}
	if m.Command != nil {
		l.commandEffect(m.Command, at+"/command")
	}
}

func (l *loader) commandEffect(c *Command, at string) {
	l.topic(at+"/topic", c.Topic, false)
	if c.QoS < 0 || c.QoS > 2 {
		l.fault(at+"/qos", fmt.Sprintf("qos %d does not exist", c.QoS), "write 0, 1 or 2")
	}
	if !l.has(at + "/effect") {
		return
	}
	l.effectRules(&c.Effect, at+"/effect")
}

func (l *loader) effectRules(e *Effect, at string) {
	const hint = "write console: with a pattern of what the device prints, or topic: and when: for what it publishes"
	switch {
	case e.Console != "" && e.Topic != "":
		l.fault(at, "an effect shows on the console or on a topic, not on both", hint)
	case e.Console == "" && e.Topic == "":
		l.fault(at, "the effect is empty", hint)
	case e.Topic != "" && e.When == "":
		l.fault(at, "any message on the topic would count as the effect", `add when: with a condition, such as payload.n == n; when: "true" if any message is one`)
	case e.Topic == "" && e.When != "":
		l.fault(at+"/when", "when is a condition over messages, and there is no topic", "add topic:, or delete when")
	}
	l.pattern(at+"/console", FillPattern(e.Console, "id", 1, "token"))
	l.topic(at+"/topic", e.Topic, true)
	if e.When != "" {
		_, err := CompileEffect(e.When)
		l.expression(at+"/when", err)
	}
}

func (l *loader) expression(path string, err error) {
	if err == nil {
		return
	}
	hint := "expressions are CEL over payload, text, topic, n, token and id"
	var bad *expressionError
	name := ""
	if errors.As(err, &bad) && bad.name != "" {
		name, hint = bad.name, DidYouMean(bad.name, variables)
	}
	l.faultWithin(path, name, "not an expression: "+err.Error(), hint)
}

// topic holds a topic name or, with wildcards, a topic filter against MQTT 3.1.1 section 4.7.
func (l *loader) topic(path, text string, wildcards bool) {
	if text == "" {
		return
	}
	if len(text) > 65535 || strings.ContainsRune(text, 0) {
		l.fault(path, "not a topic: too long, or with a zero in it", "")
		return
	}
	l.expandable(path, text, map[string]string{"id": "", "n": "", "token": ""})
	l.topicForm(path, text, wildcards)
}

// topicForm holds the signs of a topic against MQTT, whatever may stand in braces in it.
func (l *loader) topicForm(path, text string, wildcards bool) {
	if !wildcards && strings.ContainsAny(text, "+#") {
		l.fault(path, fmt.Sprintf("%s has a wildcard: messages cannot be sent to it", short(text)), "write one topic; {id} stands for the device id")
		return
	}
	levels := strings.Split(text, "/")
	for i, level := range levels {
		switch {
		case strings.Contains(level, "#") && (level != "#" || i != len(levels)-1):
			l.fault(path, fmt.Sprintf("%s is not a topic filter: # stands alone and last", short(text)), "such as plant/#")
			return
		case strings.Contains(level, "+") && level != "+":
			l.fault(path, fmt.Sprintf("%s is not a topic filter: + stands alone between slashes", short(text)), "such as plant/+/state")
			return
		}
	}
}

func (l *loader) clientRules(clients []Client, at string) {
	ids := map[string]bool{}
	for i, c := range clients {
		at := join(at, strconv.Itoa(i))
		if ids[c.ID] {
			l.fault(at+"/id", fmt.Sprintf("a second client with id %s", short(c.ID)), "an MQTT broker cuts off the first of two clients with one id")
		}
		ids[c.ID] = c.ID != ""
		l.clientRule(c, at)
	}
}

func (l *loader) clientRule(c Client, at string) {
	if (c.Cert == "") != (c.Key == "") {
		l.fault(at, "cert and key belong together", "give both, or none")
	}
	for j, topic := range c.Publish {
		l.topic(join(at+"/publish", strconv.Itoa(j)), topic, true) // a filter, as access lists are
	}
	for j, filter := range c.Subscribe {
		l.topic(join(at+"/subscribe", strconv.Itoa(j)), filter, true)
	}
}
