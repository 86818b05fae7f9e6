package artefact

import (
	"strings"

	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// described are the components that readers of images tell of: the development kit in the descriptor of an ESP32 application.
func described(root *tree.Node) (all []Component) {
	for n := range root.All() {
		e, ok := n.Info.(*mcu.ESPImage)
		if !ok || !e.App || e.IDF == "" {
			continue
		}
		version := strings.TrimPrefix(e.IDF, "v")
		upstream, _, _ := strings.Cut(version, "-")
		all = append(all, Component{
			Component: components.Component{
				Name: "esp-idf", Product: "esp-idf", Vendor: "espressif", Version: version, Upstream: upstream, Source: components.MCU,
				Supplier: "Espressif", License: "Apache-2.0",
			},
			Node: n, Places: []string{n.Path()},
		})
	}
	return all
}
