package boot

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// FIT is a FIT image of U-Boot.
type FIT struct {
	Description    string
	Images         []FITImage
	Configurations []FITConfiguration
	Default        string // configuration
	Tree           *DTNode
}

// FITImage is one of its images.
type FITImage struct {
	Name, Type, OS, Arch, Compression string
	Hashes                            []string // algorithms: "sha256"
	Signatures                        []Signature
}

// FITConfiguration says which images belong together.
type FITConfiguration struct {
	Name       string
	Signatures []Signature
}

// Signature is a signature as a FIT image tells of it.
type Signature struct {
	Algorithm string // "sha256,rsa2048"
	Key       string // name hint
	Signed    bool   // there is a value
}

func openFIT(o *tree.Opening, root, images *DTNode, total int64) error {
	fit := &FIT{Description: root.Property("description").Text(), Tree: root, Default: root.Child("configurations").Property("default").Text()}
	o.Info(fit)
	end := total
	base := (total + 3) &^ 3 // where data beside the tree begin, for data-offset
	for _, n := range images.Children {
		image := FITImage{
			Name: n.Name, Type: n.Property("type").Text(), OS: n.Property("os").Text(), Arch: n.Property("arch").Text(),
			Compression: n.Property("compression").Text(), Signatures: signatures(n),
		}
		for _, c := range n.Children {
			if strings.HasPrefix(c.Name, "hash") {
				image.Hashes = append(image.Hashes, c.Property("algo").Text())
			}
		}
		fit.Images = append(fit.Images, image)
		at, size := int64(-1), int64(0)
		if p := n.Property("data"); p.Name != "" {
			at, size = p.Offset, int64(len(p.Value))
		} else if length, ok := n.number("data-size"); ok {
			size = length
			if offset, ok := n.number("data-offset"); ok {
				at = base + offset
			} else if position, ok := n.number("data-position"); ok {
				at = position
			}
		}
		if at < 0 {
			o.Note(-1, "image %q has no data", n.Name)
			continue
		}
		if _, err := o.Part(n.Name, at, size); err != nil {
			return err
		}
		end = max(end, min(at+size, o.Size()))
	}
	if c := root.Child("configurations"); c != nil {
		for _, n := range c.Children {
			fit.Configurations = append(fit.Configurations, FITConfiguration{n.Name, signatures(n)})
		}
	}
	o.Ends(end)
	o.Describe("FIT image %q, %d images, %d configurations", fit.Description, len(fit.Images), len(fit.Configurations))
	return nil
}

// signatures are those below a node.
func signatures(n *DTNode) (all []Signature) {
	for _, c := range n.Children {
		if strings.HasPrefix(c.Name, "signature") {
			all = append(all, Signature{c.Property("algo").Text(), c.Property("key-name-hint").Text(), len(c.Property("value").Value) > 0})
		}
	}
	return all
}

// String names it as in a finding.
func (s Signature) String() string { return fmt.Sprintf("%s by key %q", s.Algorithm, s.Key) }
