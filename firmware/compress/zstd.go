package compress

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// zst is Zstandard, RFC 8878: frames, some of which may be skipped, one after another.
var zst = tree.Format{ID: "zstd", Title: "Zstandard stream", Magic: []tree.Magic{{At: 0, Bytes: zstdMagic}}, Search: true, Open: openZstd}

const (
	zstdMagic  = "\x28\xb5\x2f\xfd"
	zstdWindow = 128 << 20 // that of the kernel's own images
)

func openZstd(o *tree.Opening) error {
	size := int64(0)
	for {
		n, err := zstdFrame(o, size)
		if err != nil && size == 0 {
			return tree.ErrNot
		}
		if err != nil || n == 0 {
			break
		}
		size += n
	}
	n, err := o.Made("content", func(w io.Writer) error {
		d, err := zstd.NewReader(io.NewSectionReader(o.Data, 0, size), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return err
		}
		defer d.Close()
		_, err = d.WriteTo(w)
		return err
	})
	if err != nil {
		return err
	}
	if n.Size() == 0 && len(n.Notes) > 0 {
		return tree.ErrNot
	}
	o.Ends(size)
	return nil
}

// zstdFrame is the size of the frame at an offset; zero: there is none.
func zstdFrame(o *tree.Opening, from int64) (int64, error) {
	head, err := o.Read(from, 8)
	if err != nil {
		return 0, nil
	}
	magic := binary.LittleEndian.Uint32(head)
	if magic&^15 == 0x184d2a50 {
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		if size > o.Size()-from-8 {
			return 0, io.ErrUnexpectedEOF
		}
		return 8 + size, nil
	}
	if string(head[:4]) != zstdMagic {
		return 0, nil
	}
	descriptor := head[4]
	single := int(descriptor >> 5 & 1)
	at := from + 5 + int64([]int{0, 1, 2, 4}[descriptor&3]+[]int{single, 2, 4, 8}[descriptor>>6]+1-single)
	if descriptor&8 != 0 {
		return 0, errDamaged
	}
	for {
		b, err := o.Read(at, 3)
		if err != nil {
			return 0, err
		}
		block := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		size := int64(block >> 3)
		switch block >> 1 & 3 {
		case 1:
			size = 1
		case 3:
			return 0, errDamaged
		}
		at += 3 + size
		if at > o.Size() {
			return 0, io.ErrUnexpectedEOF
		}
		if block&1 != 0 {
			break
		}
	}
	if descriptor&4 != 0 {
		at += 4
	}
	return at - from, nil
}
