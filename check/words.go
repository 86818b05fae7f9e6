package check

import (
	"fmt"
	"strings"
)

// Words says in plain words what is needed, one need a string.
func (n Needs) Words() []string {
	words := []string{fmt.Sprintf("a real %s", n.Real.What())}
	if n.Speaks != "" {
		words[0] += " that speaks " + strings.ToUpper(string(n.Speaks))
	}
	if n.Version != "" {
		words = append(words, "MQTT "+n.Version)
	}
	for _, c := range n.Can {
		words = append(words, "a driver that can do "+string(c))
	}
	for _, d := range n.Declares {
		words = append(words, "declared: "+d)
	}
	if n.Clients > 0 {
		words = append(words, fmt.Sprintf("%d test identities", n.Clients))
	}
	if n.Proxy {
		words = append(words, "a proxy between the device and its API")
	}
	if n.World {
		words = append(words, "a part that joins the in-process internet")
	}
	return words
}
