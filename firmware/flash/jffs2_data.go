package flash

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/compress"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// jffs2Unpacked is the content of a node.
type jffs2Unpacked struct {
	at int64 // of the node; content is nil: none
	b  []byte
}

// newest is a heap of nodes, the one of the highest version on top.
type newest []jffs2Inode

func (h newest) Len() int           { return len(h) }
func (h newest) Less(i, j int) bool { return h[i].version > h[j].version }
func (h newest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *newest) Push(n any)        { *h = append(*h, n.(jffs2Inode)) }
func (h *newest) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// content writes that of a file: of every byte the one in the newest node, up to the size that the newest of all says.
func (x *jffs2FS) content(nodes []jffs2Inode, size int64, w io.Writer) error {
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n jffs2Inode) bool { return n.length == 0 })
	slices.SortStableFunc(nodes, func(a, b jffs2Inode) int { return cmp.Compare(a.offset, b.offset) })
	var live newest
	at := int64(0)
	for at < size {
		for len(nodes) > 0 && int64(nodes[0].offset) <= at {
			heap.Push(&live, nodes[0])
			nodes = nodes[1:]
		}
		for len(live) > 0 && live[0].end() <= at {
			heap.Pop(&live)
		}
		to := size
		if len(nodes) > 0 {
			to = min(to, int64(nodes[0].offset))
		}
		if len(live) == 0 {
			if err := x.holes.Write(w, to-at); err != nil {
				return err
			}
			at = to
			continue
		}
		n := live[0]
		to = min(to, n.end())
		if err := x.piece(n, at-int64(n.offset), to-at, w); err != nil {
			return err
		}
		at = to
	}
	return nil
}

func (n jffs2Inode) end() int64 { return int64(n.offset) + int64(n.length) }

// piece writes size bytes of what a node holds, from one on.
func (x *jffs2FS) piece(n jffs2Inode, from, size int64, w io.Writer) error {
	if n.compression == 1 { // only zeros
		return x.holes.Write(w, size)
	}
	b, err := x.unpack(n)
	if from < int64(len(b)) {
		if _, err := w.Write(b[from:min(int64(len(b)), from+size)]); err != nil {
			return err
		}
	}
	return err
}

// unpack gives what a node holds; with an error what could be made of it.
func (x *jffs2FS) unpack(n jffs2Inode) ([]byte, error) {
	for _, u := range x.recent {
		if u.b != nil && u.at == n.at {
			return u.b, nil
		}
	}
	if n.length > 4<<20 {
		return nil, tree.Bad(n.at+52, "a node is said to hold %d bytes", n.length)
	}
	if err := x.unpacked.take(int(n.length)); err != nil {
		return nil, err
	}
	packed, err := x.o.Read(n.at+jffs2InodeHead, int(n.packed))
	if err != nil {
		return nil, err
	}
	b, err := jffs2Unpack(n.compression, packed, int(n.length))
	if err == nil && len(b) != int(n.length) {
		err = fmt.Errorf("%d bytes come of it where there should be %d", len(b), n.length)
	}
	if err != nil {
		return b, tree.Bad(n.at, "a node cannot be unpacked: %v", err)
	}
	copy(x.recent[1:], x.recent[:])
	x.recent[0] = jffs2Unpacked{n.at, b}
	return b, nil
}

// jffs2Unpack unpacks the data of a node into length bytes.
func jffs2Unpack(compression byte, packed []byte, length int) ([]byte, error) {
	switch compression {
	case 0, 4: // none, and one that copies
		return packed, nil
	case 2:
		return unrtime(packed, length)
	case 6:
		return unpackBlock("zlib", packed, length)
	case 7:
		return unpackBlock("lzo", packed, length)
	case 8: // of OpenWrt: the stream alone, with lc, lp and pb 0 and a dictionary of 8 KiB
		head := binary.LittleEndian.AppendUint64([]byte{0, 0, 0x20, 0, 0}, uint64(length))
		return unpackBlock("lzma", append(head, packed...), length)
	}
	return nil, fmt.Errorf("it is compressed in the way of number %d, which is not known", compression)
}

func unpackBlock(id string, packed []byte, length int) ([]byte, error) {
	block := compress.Blocks(id)
	if block == nil {
		return nil, fmt.Errorf("%s is not known", id)
	}
	return block(nil, packed, length)
}

// unrtime unpacks the compression of JFFS2 alone (fs/jffs2/compr_rtime.c): each byte is followed by how many bytes are as those that
// followed the same byte when it last came.
func unrtime(packed []byte, length int) ([]byte, error) {
	b := make([]byte, 0, length)
	var last [256]int
	for len(b) < length {
		if len(packed) < 2 {
			return b, io.ErrUnexpectedEOF
		}
		value, repeat := packed[0], int(packed[1])
		packed = packed[2:]
		b = append(b, value)
		from := last[value]
		last[value] = len(b)
		if repeat > length-len(b) {
			return b, fmt.Errorf("it is longer than %d bytes", length)
		}
		for i := range repeat {
			b = append(b, b[from+i])
		}
	}
	return b, nil
}
