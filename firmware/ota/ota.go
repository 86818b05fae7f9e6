// Package ota reads the containers in which updates reach devices over the air: Zigbee, Matter, SUIT, Android.
package ota

import (
	"encoding/binary"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Formats are those of this package.
var Formats = []tree.Format{zigbee, matter, suit, payload}

var (
	le16 = binary.LittleEndian.Uint16
	le32 = binary.LittleEndian.Uint32
	le64 = binary.LittleEndian.Uint64
)
