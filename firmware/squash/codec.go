package squash

import (
	"fmt"
	"io"

	"github.com/shakedown-test/shakedown/firmware/compress"
)

// codec is what blocks are compressed with.
type codec struct {
	title  string
	unpack compress.Block
}

const (
	compressionZlib = 1
	compressionLZMA = 2
)

// codecs are by the number in the superblock.
var codecs = map[int]codec{
	compressionZlib: {"gzip", compress.Blocks("zlib")},
	compressionLZMA: {"lzma", compress.Blocks("lzma")},
	3:               {"lzo", compress.Blocks("lzo")},
	4:               {"xz", compress.Blocks("xz")},
	5:               {"lz4", compress.Blocks("lz4")},
	6:               {"zstd", compress.Blocks("zstd")},
}

// vendors are what else version 3 was compressed with, by patches of the kernel: LZMA where a block begins with its usual properties and
// zlib where not (sqlzma), LZMA behind its properties but without its size, and LZMA without any header, behind nothing or behind something
// that is of no use (as sasquatch, a modified unsquashfs, found it in the field).
func vendors() []codec {
	list := []codec{{"lzma or gzip", sqlzma}, {"lzma without sizes", sizeless}}
	usual := [][3]uint{{3, 0, 2}, {0, 0, 0}, {1, 2, 2}}
	for lc := range uint(5) {
		for lp := range 5 - lc {
			for pb := range uint(5) {
				usual = append(usual, [3]uint{lc, lp, pb})
			}
		}
	}
	for _, bits := range usual {
		unpack := compress.LZMA(bits[0], bits[1], bits[2])
		for _, behind := range []int{0, 4, 5, 9} {
			list = append(list, codec{
				fmt.Sprintf("lzma without a header (lc=%d, lp=%d, pb=%d, from byte %d on)", bits[0], bits[1], bits[2], behind),
				func(dst, src []byte, max int) ([]byte, error) {
					if len(src) <= behind {
						return dst, io.ErrUnexpectedEOF
					}
					return unpack(dst, src[behind:], max)
				},
			})
		}
	}
	return list
}

const usualProperties = 0x5d

func sqlzma(dst, src []byte, max int) ([]byte, error) {
	if len(src) > 0 && src[0] == usualProperties {
		return codecs[compressionLZMA].unpack(dst, src, max)
	}
	return codecs[compressionZlib].unpack(dst, src, max)
}

func sizeless(dst, src []byte, max int) ([]byte, error) {
	if len(src) < 5 {
		return dst, io.ErrUnexpectedEOF
	}
	p := uint(src[0])
	return compress.LZMA(p%9, p/9%5, p/45)(dst, src[5:], max)
}

// findCodec finds what the file system is compressed with, which is not always what it says, and reads its root.
func (m *image) findCodec() (inode, error) {
	tried := []codec{codecs[m.compression]}
	for n := 1; n <= len(codecs); n++ {
		if n != m.compression && (n != compressionLZMA || m.major == 4) {
			tried = append(tried, codecs[n])
		}
	}
	if m.major == 3 {
		tried = append(tried, vendors()...)
	}
	var first error
	for i, c := range tried {
		if c.unpack == nil {
			continue
		}
		m.codec = c
		clear(m.meta)
		root, err := m.plausibleRoot()
		if err == nil {
			if i > 0 && m.major == 4 {
				m.o.Note(20, "it is compressed with %s, and does not say so", c.title)
			}
			return root, nil
		}
		if first == nil {
			first = err
		}
		if m.o.Context().Err() != nil {
			break
		}
	}
	return inode{}, fmt.Errorf("its root cannot be read: %w", first)
}

// plausibleRoot reads the root, and judges whether it is one: some codecs make something of anything.
func (m *image) plausibleRoot() (inode, error) {
	root, err := m.inode(m.root)
	if err != nil {
		return root, err
	}
	if root.kind != kindFolder || root.number < 1 || root.number > m.inodes {
		return root, fault(m.inodeTable, "the root is no folder")
	}
	if root.size > 3 {
		_, err = m.at(m.directoryTable, uint64(root.start), root.offset).read(8)
	}
	return root, err
}
