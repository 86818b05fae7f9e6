package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// interview asks for what no flag says. An empty answer keeps the example.
func (a *app) interview(ctx context.Context, given func(flag string) bool, f *initFlags) error {
	who := a.person()
	fmt.Fprintln(a.Stderr, "A few questions; Enter keeps what stands in brackets, and all can be changed in the file.")
	for _, q := range []struct {
		flag, text string
		into       *string
		words      []string
		skip       func() bool
	}{
		{"name", "Name of the product", &f.o.Name, nil, nil},
		{"device", "How is the device driven: " + strings.Join(devices, ", "), &f.o.Driver, devices, nil},
		{
			"command", "Command line that starts it; {broker.host} {broker.port} {ca.file} {device.id} are filled in", &f.o.Command, nil,
			func() bool { return f.o.Driver != "process" && f.o.Driver != "exec" },
		},
		{"protocol", "What it speaks: mqtts (over TLS) or mqtt", &f.protocol, []string{"mqtts", "mqtt"}, nil},
		{"telemetry", "Topics of its measurements, such as devices/{id}/telemetry", &f.o.Telemetry, nil, nil},
		{"command-topic", "Topic of a command that it takes, if any", &f.o.CommandTopic, nil, nil},
		{"command-payload", `Payload of that command, such as {"interval": {n}}`, &f.o.CommandPayload, nil, func() bool { return f.o.CommandTopic == "" }},
		{"effect-topic", "Topic on which it then tells that it was carried out", &f.o.Effect.Topic, nil, func() bool { return f.o.CommandTopic == "" }},
		{"effect-when", "Condition on that payload, such as payload.interval == n", &f.o.Effect.When, nil, func() bool { return f.o.Effect.Topic == "" }},
		{"effect-console", "Pattern of what it then prints, if it does", &f.o.Effect.Console, nil, func() bool { return f.o.CommandTopic == "" || f.o.Effect.Topic != "" }},
	} {
		if given(q.flag) || q.skip != nil && q.skip() {
			continue
		}
		if err := askFor(ctx, who, q.text, q.into, q.words); err != nil {
			return err
		}
	}
	return nil
}

// askFor asks until the answer is one of the words, if there are any.
func askFor(ctx context.Context, who *person, text string, into *string, words []string) error {
	if *into != "" {
		text += " [" + *into + "]"
	}
	for {
		line, err := who.ask(ctx, text+": ")
		if errors.Is(err, context.Canceled) {
			return &exitError{exitInterrupted, errors.New("interrupted; nothing is written")}
		}
		if err != nil {
			return usage(err)
		}
		if line = strings.TrimSpace(line); line == "" {
			return nil
		}
		if words == nil || slices.Contains(words, line) {
			*into = line
			return nil
		}
		text = "Please one of " + strings.Join(words, ", ")
	}
}
