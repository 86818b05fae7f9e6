// Package boot reads what boot loaders take: kernels, images of several parts, environments and device trees.
package boot

import "github.com/shakedown-test/shakedown/firmware/tree"

// Formats are those of this package.
var Formats = []tree.Format{uImage, flattened, environment, compiled, trx, chk, sparse, bootImage}
