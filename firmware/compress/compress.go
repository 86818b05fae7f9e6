// Package compress reads single compressed streams.
package compress

import "github.com/shakedown-test/shakedown/firmware/tree"

// Formats are those of this package.
var Formats = []tree.Format{gz}
