// Package compress unpacks: single compressed streams (Formats), and blocks for the readers of file systems (Blocks).
package compress

import "github.com/shakedown-test/shakedown/firmware/tree"

// Formats are those of this package.
var Formats = []tree.Format{gz, xzs, bz2, zst, lz4Frames, lz4Legacy, lzop, lzmas, zl}
