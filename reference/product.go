package reference

import _ "embed"

// FileName is what the product file is called in messages.
const FileName = "reference/product.yaml"

//go:embed product.yaml
var file []byte

// File is the product file of the reference product, as its makers would have written it.
func File() []byte { return append([]byte(nil), file...) }
