// Package disk reads what lies on disks, cards and eMMC: partition tables and the file systems of block devices.
package disk

import "github.com/shakedown-test/shakedown/firmware/tree"

// Formats are those of this package.
var Formats = []tree.Format{ext, gpt, fat, mbr}
