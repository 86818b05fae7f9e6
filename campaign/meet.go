package campaign

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/product"
)

// meet compares what a check needs with what the product has. An empty outcome means that it can run. Missing are the declared
// values that it lacks.
func meet(o Options, c *check.Check) (outcome evidence.Outcome, reason, hint string, missing []string) {
	part, why := realPart(o.Product, c.Needs.Real)
	if part == nil {
		return why.outcome, why.reason, why.hint, nil
	}
	if speaks := o.Product.PartFor(c.Needs.Real, c.Needs.Speaks); speaks != nil {
		part = speaks
	}
	if s := c.Needs.Speaks; s != "" && !o.Product.Speaks(part.Name, s) {
		return evidence.NotApplicable, fmt.Sprintf("%s %q has no link that speaks %s", part.Role, part.Name, s), "", nil
	}
	if s := c.Needs.Speaks; s == product.TLS && c.Needs.Real == product.Device && !o.Product.Speaks(part.Name, product.MQTT) {
		return evidence.NotApplicable, fmt.Sprintf("%s %q speaks TLS for HTTP only; this looks at how it connects to a broker", part.Role, part.Name), "", nil
	}
	if want := c.Needs.Version; want != "" && part.MQTT != nil && part.MQTT.Version != "" && part.MQTT.Version != want {
		return evidence.NotApplicable, fmt.Sprintf("%s %q speaks MQTT %s; this is about MQTT %s", part.Role, part.Name, part.MQTT.Version, want), "", nil
	}
	kind := o.Kinds[part.Driver]
	for _, can := range c.Needs.Can {
		if !slices.Contains(kind.Can, can) && !slices.Contains(part.Can, can) {
			return evidence.NotRun, fmt.Sprintf("the %s driver of %q cannot do %s", part.Driver, part.Name, can),
				fmt.Sprintf("give %q a control program that offers %s (control: and can: in the product file)", part.Name, can), nil
		}
	}
	if c.Needs.World && !o.Kinds.Joins(*part) {
		return evidence.NotRun, fmt.Sprintf("%q connects over this machine's own network, which is not made to misbehave", part.Name),
			ownNetwork(part), nil
	}
	if part.Network == product.InWorld {
		if err := join.Available(); err != nil {
			reason, hint, _ := strings.Cut(err.Error(), "\nhint: ")
			return evidence.NotRun, reason, hint, nil
		}
	}
	for _, key := range c.Needs.Declares {
		if !o.Product.Declares(part, key) {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		return evidence.NotRun, "not declared: " + strings.Join(missing, ", "),
			"declare " + strings.Join(missing, ", ") + " in the product file; see docs/product-file.md", missing
	}
	if n := c.Needs.Clients; len(part.Clients) < n {
		return evidence.NotRun, fmt.Sprintf("%q has %d of the %d test identities that this takes", part.Name, len(part.Clients), n),
			fmt.Sprintf("list %d test identities under clients: of %q", n, part.Name), nil
	}
	return "", "", "", nil
}

// ownNetwork is how a part comes to be in the world.
func ownNetwork(part *product.Part) string {
	if part.Driver == "process" {
		return fmt.Sprintf("give %q a network of its own: network: world in the product file", part.Name)
	}
	return "only the reference product and processes with network: world can be tested so"
}

type unmet struct {
	outcome      evidence.Outcome
	reason, hint string
}

// realPart finds the real part of a role, or why there is none. A part that the maker has Shakedown play is not under test; the verdict
// names it.
func realPart(p *product.Product, role product.Role) (*product.Part, unmet) {
	if part := p.PartByRole(role); part != nil {
		return part, unmet{}
	}
	for _, part := range p.Parts {
		if part.Role == role {
			return nil, unmet{
				evidence.NotApplicable, fmt.Sprintf("%s %q is a stand-in here", role, part.Name),
				fmt.Sprintf("give %q a driver, so that the real one is tested", part.Name),
			}
		}
	}
	if role == product.Endpoint {
		return nil, unmet{
			evidence.NotApplicable, "the product file names no " + role.What(),
			"add a part of that role with driver: endpoint and address: https://api.example.com, or look at it alone: shakedown inspect https://api.example.com",
		}
	}
	if role.Artefact() || role == product.Artefact || role == product.Inspected {
		return nil, unmet{
			evidence.NotApplicable, "the product file names no " + role.What(),
			"add a part of that role with driver: file and path: FILE, or look at it alone: shakedown inspect FILE",
		}
	}
	return nil, unmet{evidence.NotApplicable, fmt.Sprintf("the product file names no %s", role), ""}
}
