package mcu

import (
	"fmt"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// espOld is an image for the ESP8266 (esptool, "Firmware Image Format"): version 1, or version 2 that begins with the code which stays in
// flash. Neither has a place for a signature.
var espOld = tree.Format{ID: "esp8266-image", Title: "ESP8266 image", Magic: append(espMagic(), tree.Magic{At: 0, Bytes: "\xEA\x04"}), Search: true, Open: openESPOld}

// ESP8266Image is the header of an image for the ESP8266.
type ESP8266Image struct {
	Version      int // 1 or 2
	Entry        uint32
	Segments     int
	ChecksumFits bool
}

func openESPOld(o *tree.Opening) error {
	const head = 8
	i := &ESP8266Image{Version: 1}
	at := int64(0)
	b, err := o.Read(0, 2*head)
	if err != nil {
		return tree.ErrNot
	}
	var flash espSegment
	if b[0] == 0xEA {
		i.Version = 2
		flash = espSegment{le32(b[8:]), 2 * head, int64(le32(b[12:]))}
		if flash.load != 0 || flash.size > 4<<20 {
			return tree.ErrNot
		}
		at = 2*head + flash.size
	}
	b, err = o.Read(at, head)
	if err != nil || b[0] != 0xE9 {
		return tree.ErrNot
	}
	segments, end, sum, err := espSegments(o, at+head, int(b[1]))
	if err != nil {
		return err
	}
	i.Entry, i.Segments = le32(b[4:]), len(segments)
	for _, s := range segments {
		// The memories of the chip: data, instructions, flash.
		if s.load < 0x3FFE8000 || s.load >= 0x40300000 || s.load > 0x40000000 && s.load < 0x40100000 {
			return tree.ErrNot
		}
	}
	if i.Entry < 0x40000000 || i.Entry >= 0x40300000 {
		return tree.ErrNot
	}
	last := end | 15
	if b, err = o.Read(last, 1); err != nil {
		return tree.ErrNot
	}
	i.ChecksumFits = b[0] == sum
	if !i.ChecksumFits {
		o.Note(last, "its data do not fit their checksum")
	}
	o.Info(i)
	o.Describe("version %d, %d segments", i.Version, len(segments))
	size := last + 1
	if i.Version == 2 && o.Size()-size >= 4 {
		size += 4 // a CRC-32 for updates
	}
	o.Ends(size)
	if i.Version == 2 {
		segments = append([]espSegment{flash}, segments...)
	}
	for _, s := range segments {
		if _, err := o.Part(fmt.Sprintf("segment for %#x", s.load), s.at, s.size); err != nil {
			return err
		}
	}
	return nil
}
