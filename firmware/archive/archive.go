// Package archive reads archives.
package archive

import "github.com/shakedown-test/shakedown/firmware/tree"

// Formats are those of this package.
var Formats = []tree.Format{cpio, zipped, tape}
