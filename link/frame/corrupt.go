package frame

import (
	"fmt"
	"math/rand/v2"
)

// ethernet is the length of the header of an Ethernet frame, which is never corrupted: the frame would go nowhere.
const ethernet = 14

// Corrupt turns one bit over in each frame with probability p, behind the Ethernet header. Where a checksum covers it, the receiver
// sees a loss.
func (l *Link) Corrupt(which Way, p float64) (undo func()) {
	return l.impair(which, fmt.Sprintf("corruption %.3g %%", p*100), func(d *way) func() { return d.corruption.push(chance{p}) })
}

func corrupt(frame []byte, rng *rand.Rand) {
	if n := len(frame) - ethernet; n > 0 {
		frame[ethernet+rng.IntN(n)] ^= 1 << rng.IntN(8)
	}
}
