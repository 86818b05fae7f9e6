package squash

import (
	"bytes"
	"compress/zlib"
	"sort"
	"strings"
	"testing"
)

// made is a file of an image that maker makes.
type made struct {
	name     string // its folders come before it; "" is the root
	kind     kind
	perm     uint32
	uid, gid int // numbers in the tables
	content  string
	linked   string // the name of a file that this is another name of
}

// maker makes images as mksquashfs does, of either version and byte order.
type maker struct {
	order
	major     int
	blockSize int
	pack      func([]byte) []byte
	list      []made

	data            bytes.Buffer // the whole image, the superblock left out until the end
	inodes, folders table
	fragment        []byte
	fragments       [][2]uint64 // where they lie, and their stored sizes
	refs            map[string]uint64
	numbers         map[string]uint32
	links           map[string]int
	number          uint32
	ids             []uint32
	extended        bool // all inodes of files and folders are
	marked          bool // a byte follows the size of a block of metadata
}

// out writes fields.
type out struct {
	order
	b  []byte
	at int
}

// put writes v as n bits, as the order has it.
func (f *out) put(n int, v uint64) *out {
	for i := range n {
		if f.at%8 == 0 {
			f.b = append(f.b, 0)
		}
		if f.big {
			f.b[f.at/8] |= byte(v>>(n-1-i)&1) << (7 - f.at%8)
		} else {
			f.b[f.at/8] |= byte(v>>i&1) << (f.at % 8)
		}
		f.at++
	}
	return f
}

// all writes pairs of width and value.
func (f *out) all(pairs ...uint64) *out {
	for i := 0; i < len(pairs); i += 2 {
		f.put(int(pairs[i]), pairs[i+1])
	}
	return f
}

func deflated(b []byte) []byte {
	var w bytes.Buffer
	z := zlib.NewWriter(&w)
	z.Write(b)
	z.Close()
	return w.Bytes()
}

// table is metadata in the making.
type table struct {
	done, raw []byte
	flush     func(raw []byte) []byte
}

func (t *table) place() (start uint64, offset int) {
	for len(t.raw) >= metaSize {
		t.done = append(t.done, t.flush(t.raw[:metaSize])...)
		t.raw = append([]byte(nil), t.raw[metaSize:]...)
	}
	return uint64(len(t.done)), len(t.raw)
}

func (t *table) end() []byte {
	t.place()
	if len(t.raw) > 0 {
		t.done = append(t.done, t.flush(t.raw)...)
		t.raw = nil
	}
	return t.done
}

func (k *maker) fields() *out { return &out{order: k.order} }

// metadata makes one block of it.
func (k *maker) metadata(raw []byte) []byte {
	packed := k.pack(raw)
	size := uint64(len(packed))
	if len(packed) >= len(raw) {
		packed, size = raw, uint64(len(raw))|0x8000
	}
	head := k.fields().put(16, size).b
	if k.marked {
		head = append(head, 0xff)
	}
	return append(head, packed...)
}

func newMaker(major int, big bool) *maker {
	k := &maker{
		order: order{big}, major: major, blockSize: 4096, pack: deflated, refs: map[string]uint64{}, numbers: map[string]uint32{},
		links: map[string]int{}, ids: []uint32{0, 1000},
	}
	k.inodes.flush, k.folders.flush = k.metadata, k.metadata
	k.data.Write(make([]byte, k.superSize()))
	return k
}

func (k *maker) superSize() int {
	if k.major == 3 {
		return superSize3
	}
	return superSize4
}

// image makes it of files, whose folders come before them.
func (k *maker) image(files ...made) []byte {
	k.list = files
	for _, f := range files {
		if f.linked != "" {
			k.links[f.linked]++
		}
	}
	for _, f := range files {
		if f.kind != kindFolder && f.linked == "" {
			k.inode(f, 0, 0, 0)
		}
	}
	if len(k.fragment) > 0 {
		k.endFragment()
	}
	for i := len(files) - 1; i >= 0; i-- { // inner folders first
		if files[i].kind == kindFolder {
			start, offset, size := k.folder(files[i].name)
			k.inode(files[i], start, offset, size)
		}
	}
	return k.finish()
}

// store writes a block of data, and gives its stored size.
func (k *maker) store(b []byte) uint64 {
	packed := k.pack(b)
	if len(packed) >= len(b) {
		k.data.Write(b)
		return uint64(len(b)) | 1<<24
	}
	k.data.Write(packed)
	return uint64(len(packed))
}

func (k *maker) endFragment() {
	at := uint64(k.data.Len())
	k.fragments = append(k.fragments, [2]uint64{at, k.store(k.fragment)})
	k.fragment = nil
}

// blocks writes the content of a file: whole blocks, and the rest into a fragment.
func (k *maker) blocks(content string) (start uint64, sizes []uint64, fragment, offset uint64) {
	start = uint64(k.data.Len())
	for len(content) >= k.blockSize {
		b := content[:k.blockSize]
		content = content[k.blockSize:]
		if strings.Trim(b, "\x00") == "" {
			sizes = append(sizes, 0)
			continue
		}
		sizes = append(sizes, k.store([]byte(b)))
	}
	if content == "" {
		return start, sizes, noFragment, 0
	}
	if len(k.fragment)+len(content) > k.blockSize {
		k.endFragment()
		if len(sizes) == 0 {
			start = uint64(k.data.Len())
		}
	}
	offset = uint64(len(k.fragment))
	k.fragment = append(k.fragment, content...)
	return start, sizes, uint64(len(k.fragments)), offset
}

// inode writes one. What follows the file says where the list of a folder is.
func (k *maker) inode(f made, start uint64, offset, size int) {
	if f.kind == kindFile && len(f.content)%k.blockSize != 0 && len(k.fragment)+len(f.content)%k.blockSize > k.blockSize {
		k.endFragment() // before its blocks, so that these lie together
	}
	block, at := k.inodes.place()
	k.refs[f.name] = block<<16 | uint64(at)
	k.number++
	k.numbers[f.name] = k.number
	var sizes []uint64
	o := k.fields()
	number, links, long := uint64(f.kind), uint64(k.links[f.name]+1), k.extended || k.links[f.name] > 0
	if long && (f.kind == kindFile || k.major == 4 || f.kind == kindFolder) {
		number += 7
	}
	if k.major == 3 {
		o.all(4, number, 12, uint64(f.perm), 8, uint64(f.uid), 8, uint64(f.gid), 32, 1700000000, 32, uint64(k.number))
	} else {
		o.all(16, number, 16, uint64(f.perm), 16, uint64(f.uid), 16, uint64(f.gid), 32, 1700000000, 32, uint64(k.number))
	}
	switch f.kind {
	case kindFolder:
		s, n := start, uint64(size+3)
		switch {
		case k.major == 3 && long:
			o.all(32, 2, 27, n, 13, uint64(offset), 32, s, 16, 0, 32, 1)
		case k.major == 3:
			o.all(32, 2, 19, n, 13, uint64(offset), 32, s, 32, 1)
		case long:
			o.all(32, 2, 32, n, 32, s, 32, 1, 16, 0, 16, uint64(offset), 32, 0xffffffff)
		default:
			o.all(32, s, 32, 2, 16, n, 16, uint64(offset), 32, 1)
		}
	case kindFile:
		s, list, fragment, in := k.blocks(f.content)
		n := uint64(len(f.content))
		sizes = list
		switch {
		case k.major == 3 && long:
			o.all(32, links, 64, s, 32, fragment, 32, in, 64, n)
		case k.major == 3:
			o.all(64, s, 32, fragment, 32, in, 32, n)
		case long:
			o.all(64, s, 64, n, 64, 0, 32, links, 32, fragment, 32, in, 32, 0xffffffff)
		default:
			o.all(32, s, 32, fragment, 32, in, 32, n)
		}
	case kindLink:
		o.put(32, links).put(map[int]int{3: 16, 4: 32}[k.major], uint64(len(f.content)))
		o.b = append(o.b, f.content...)
		if long && k.major == 4 {
			o.b = append(o.b, 0xff, 0xff, 0xff, 0xff)
		}
	case kindBlock, kindChar:
		o.put(32, links).put(map[int]int{3: 16, 4: 32}[k.major], 0x0103)
		if long && k.major == 4 {
			o.put(32, 0xffffffff)
		}
	default:
		o.put(32, links)
		if long && k.major == 4 {
			o.put(32, 0xffffffff)
		}
	}
	for _, s := range sizes {
		o.b = append(o.b, k.fields().put(32, s).b...)
	}
	k.inodes.raw = append(k.inodes.raw, o.b...)
}

// folder writes the list of one.
func (k *maker) folder(path string) (start uint64, offset, size int) {
	start, offset = k.folders.place()
	var inside []made
	for _, f := range k.list {
		if i := strings.LastIndex(f.name, "/"); f.name != "" && f.name[:max(i, 0)] == path {
			inside = append(inside, f)
		}
	}
	sort.Slice(inside, func(i, j int) bool { return inside[i].name < inside[j].name })
	var b []byte
	ref := func(f made) (uint64, uint32) {
		if f.linked != "" {
			return k.refs[f.linked], k.numbers[f.linked]
		}
		return k.refs[f.name], k.numbers[f.name]
	}
	for len(inside) > 0 {
		first, number := ref(inside[0])
		n := 1
		for n < len(inside) && n < 256 {
			if r, _ := ref(inside[n]); r>>16 != first>>16 {
				break
			}
			n++
		}
		head := k.fields()
		if k.major == 3 {
			head.all(8, uint64(n-1), 32, first>>16, 32, uint64(number))
		} else {
			head.all(32, uint64(n-1), 32, first>>16, 32, uint64(number))
		}
		b = append(b, head.b...)
		for _, f := range inside[:n] {
			r, own := ref(f)
			name := f.name[strings.LastIndex(f.name, "/")+1:]
			e := k.fields()
			if k.major == 3 {
				e.all(13, r&0xffff, 3, uint64(f.kind), 8, uint64(len(name)-1), 16, uint64(own-number)&0xffff)
			} else {
				e.all(16, r&0xffff, 16, uint64(own-number)&0xffff, 16, uint64(f.kind), 16, uint64(len(name)-1))
			}
			b = append(append(b, e.b...), name...)
		}
		inside = inside[n:]
	}
	k.folders.raw = append(k.folders.raw, b...)
	return start, offset, len(b)
}

// finish writes the tables and the superblock.
func (k *maker) finish() []byte {
	inodes := uint64(k.data.Len())
	k.data.Write(k.inodes.end())
	folders := uint64(k.data.Len())
	k.data.Write(k.folders.end())
	entries := k.fields()
	for _, f := range k.fragments {
		entries.all(64, f[0], 32, f[1], 32, 0)
	}
	fragments := k.listed(entries.b)
	ids := k.fields()
	for _, id := range k.ids {
		ids.put(32, uint64(id))
	}
	s := k.fields()
	magic := "hsqs"
	if k.big {
		magic = "sqsh"
	}
	s.b, s.at = append(s.b, magic...), 32
	log := uint64(0)
	for 1<<log < k.blockSize {
		log++
	}
	none := uint64(1<<64 - 1)
	if k.major == 3 {
		at := uint64(k.data.Len())
		k.data.Write(ids.b)
		gids, flags := uint64(k.data.Len()), uint64(0)
		if k.marked {
			flags = 4
		}
		k.data.Write(ids.b)
		used := uint64(k.data.Len())
		s.all(32, uint64(k.number), 32, 0, 32, 0, 32, 0, 32, 0, 32, 0, 16, 3, 16, 1, 16, 0, 16, log, 8, flags, 8, uint64(len(k.ids)), 8, uint64(len(k.ids)))
		s.all(32, 1700000000, 64, k.refs[""], 32, uint64(k.blockSize), 32, uint64(len(k.fragments)), 32, 0)
		s.all(64, used, 64, at, 64, gids, 64, inodes, 64, folders, 64, fragments, 64, none)
	} else {
		at := k.listed(ids.b)
		used := uint64(k.data.Len())
		s.all(32, uint64(k.number), 32, 1700000000, 32, uint64(k.blockSize), 32, uint64(len(k.fragments)), 16, 1, 16, log, 16, 0, 16, uint64(len(k.ids)))
		s.all(16, 4, 16, 0, 64, k.refs[""], 64, used, 64, at, 64, none, 64, inodes, 64, folders, 64, fragments, 64, none)
	}
	b := k.data.Bytes()
	copy(b, s.b)
	return b
}

// listed writes a table in blocks of metadata and the list of where these lie, and says where that is.
func (k *maker) listed(raw []byte) uint64 {
	list := k.fields()
	for len(raw) > 0 {
		n := min(len(raw), metaSize)
		list.put(64, uint64(k.data.Len()))
		k.data.Write(k.metadata(raw[:n]))
		raw = raw[n:]
	}
	at := uint64(k.data.Len())
	k.data.Write(list.b)
	return at
}

func sample(t testing.TB) []made {
	t.Helper()
	big := strings.Repeat("a line that is there again and again\n", 500)
	return []made{
		{name: "", kind: kindFolder, perm: 0o755},
		{name: "bin", kind: kindFolder, perm: 0o755},
		{name: "bin/busybox", kind: kindFile, perm: 0o4755, content: big},
		{name: "bin/sh", kind: kindLink, perm: 0o777, content: "busybox"},
		{name: "bin/vi", kind: kindFile, linked: "bin/busybox"},
		{name: "dev", kind: kindFolder, perm: 0o755},
		{name: "dev/console", kind: kindChar, perm: 0o600},
		{name: "dev/sda", kind: kindBlock, perm: 0o660},
		{name: "dev/pipe", kind: kindPipe, perm: 0o644},
		{name: "dev/socket", kind: kindSocket, perm: 0o644},
		{name: "empty", kind: kindFolder, perm: 0o1777},
		{name: "etc", kind: kindFolder, perm: 0o755},
		{name: "etc/none", kind: kindFile, perm: 0o644},
		{name: "etc/passwd", kind: kindFile, perm: 0o644, uid: 1, gid: 1, content: "root:x:0:0::/:/bin/sh\n"},
		{name: "etc/sparse", kind: kindFile, perm: 0o600, uid: 1, content: "x" + strings.Repeat("\x00", 12000) + "y"},
		{name: "etc/whole", kind: kindFile, perm: 0o644, content: big[:8192]},
	}
}
