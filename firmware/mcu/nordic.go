package mcu

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"path"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// nordicInit is the init packet of Nordic's DFU (nRF5 SDK, dfu-cc.proto): a message of protocol buffers that says what the image is for. In
// the archive that is shipped, manifest.json says which image that is; see NordicPackages.
var nordicInit = tree.Format{ID: "nordic-init", Title: "Nordic DFU init packet", Open: openNordicInit}

// NordicInit is an init packet.
type NordicInit struct {
	Signature   string // "ECDSA P-256" or "Ed25519"; empty: it is not signed
	FWVersion   uint64
	HWVersion   uint64
	Kind        string   // application, SoftDevice, boot loader, SoftDevice and boot loader
	SoftDevices []uint64 // ids of those that it runs with
	Sizes       [3]uint64
	HashType    string
	Hash        []byte // little-endian, as it stands in the packet
	Debug       bool   // versions are not compared
}

var (
	nordicKinds  = []string{"application", "SoftDevice", "boot loader", "SoftDevice and boot loader"}
	nordicHashes = []string{"none", "CRC", "SHA-128", "SHA-256", "SHA-512"}
	nordicSigns  = []string{"ECDSA P-256", "Ed25519"}
)

// field is one of a message of protocol buffers.
type field struct {
	number uint64
	value  uint64
	bytes  []byte // nil: it is a number
}

// fields reads a message, all of it, or fails.
func fields(b []byte) ([]field, bool) {
	var all []field
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key>>3 == 0 || len(all) == 64 {
			return nil, false
		}
		b = b[n:]
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, false
		}
		b = b[n:]
		f := field{number: key >> 3, value: v}
		switch key & 7 {
		case 0:
		case 2:
			if v > uint64(len(b)) {
				return nil, false
			}
			f.bytes, b = append([]byte{}, b[:v]...), b[v:]
		default:
			return nil, false
		}
		all = append(all, f)
	}
	return all, len(all) > 0
}

func openNordicInit(o *tree.Opening) error {
	if o.Size() < 16 || o.Size() > 512 {
		return tree.ErrNot
	}
	b, err := o.Read(0, int(o.Size()))
	if err != nil {
		return err
	}
	packet, ok := fields(b)
	if !ok || len(packet) != 1 || packet[0].bytes == nil {
		return tree.ErrNot
	}
	i := &NordicInit{}
	const (
		plain  = 1
		signed = 2
	)
	command := packet[0].bytes
	switch packet[0].number {
	case plain:
	case signed:
		inner, ok := fields(command)
		if !ok || len(inner) != 3 || inner[0].number != 1 || inner[1].number != 2 || inner[1].value > 1 || len(inner[2].bytes) != 64 {
			return tree.ErrNot
		}
		command, i.Signature = inner[0].bytes, nordicSigns[inner[1].value]
	default:
		return tree.ErrNot
	}
	inner, ok := fields(command)
	const initialise = 1
	if !ok || len(inner) != 2 || inner[0].number != 1 || inner[0].value != initialise || inner[1].number != 2 || !i.read(inner[1].bytes) {
		return tree.ErrNot
	}
	o.Info(i)
	how := "not signed"
	if i.Signature != "" {
		how = "signed: " + i.Signature
	}
	o.Describe("%s %d for hardware %d, %s", i.Kind, i.FWVersion, i.HWVersion, how)
	return nil
}

// read takes the command, and says whether it is one.
func (i *NordicInit) read(b []byte) bool {
	all, ok := fields(b)
	if !ok {
		return false
	}
	kind := uint64(0)
	for _, f := range all {
		switch f.number {
		case 1:
			i.FWVersion = f.value
		case 2:
			i.HWVersion = f.value
		case 3:
			if f.bytes == nil {
				i.SoftDevices = append(i.SoftDevices, f.value)
			}
			for b := f.bytes; len(b) > 0; {
				v, n := binary.Uvarint(b)
				if n <= 0 {
					return false
				}
				i.SoftDevices, b = append(i.SoftDevices, v), b[n:]
			}
		case 4:
			kind = f.value
		case 5, 6, 7:
			i.Sizes[f.number-5] = f.value
		case 8:
			h, ok := fields(f.bytes)
			if !ok || len(h) != 2 || h[0].number != 1 || h[0].value >= uint64(len(nordicHashes)) || h[1].number != 2 {
				return false
			}
			i.HashType, i.Hash = nordicHashes[h[0].value], h[1].bytes
		case 9:
			i.Debug = f.value != 0
		}
	}
	if kind >= uint64(len(nordicKinds)) {
		return false
	}
	i.Kind = nordicKinds[kind]
	return i.HashType != ""
}

// NordicImage is an image of a Nordic DFU archive.
type NordicImage struct {
	Kind   string // as manifest.json calls it
	Init   *tree.Node
	Packet *NordicInit // nil: the packet is of the old kind, a structure without signature
	Image  *tree.Node
}

// Fits reports whether the image has the hash of its packet. It says false for ok when that cannot be told.
func (n NordicImage) Fits() (fits, ok bool) {
	const most = 16 << 20
	if n.Packet == nil || n.Image == nil || n.Image.Size() > most {
		return false, false
	}
	b, err := n.Image.Read(most)
	if err != nil {
		return false, false
	}
	var sum []byte
	switch n.Packet.HashType {
	case "SHA-256":
		h := sha256.Sum256(b)
		sum = h[:]
	case "SHA-512":
		h := sha512.Sum512(b)
		sum = h[:]
	case "CRC":
		sum = binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b))
	default:
		return false, false
	}
	slices.Reverse(sum)
	return bytes.Equal(sum, n.Packet.Hash), true
}

// NordicPackages finds the images of Nordic DFU archives: what their manifest.json names (pc-nrfutil, manifest.py).
func NordicPackages(root *tree.Node) (all []NordicImage) {
	for n := range root.All() {
		if n.Format != "zip" {
			continue
		}
		files := map[string]*tree.Node{}
		for _, c := range n.Children {
			files[c.Name] = c
		}
		if files["manifest.json"] == nil {
			continue
		}
		all = append(all, nordicManifest(files)...)
	}
	return all
}

func nordicManifest(files map[string]*tree.Node) (all []NordicImage) {
	b, err := files["manifest.json"].Read(64 << 10)
	if err != nil {
		return nil
	}
	var doc struct {
		Manifest map[string]json.RawMessage `json:"manifest"`
	}
	if json.Unmarshal(b, &doc) != nil {
		return nil
	}
	kinds := []string{}
	for kind := range doc.Manifest {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		var names struct {
			Bin string `json:"bin_file"`
			Dat string `json:"dat_file"`
		}
		if json.Unmarshal(doc.Manifest[kind], &names) != nil || names.Bin == "" || names.Dat == "" {
			continue
		}
		i := NordicImage{Kind: kind, Init: files[path.Clean(names.Dat)], Image: files[path.Clean(names.Bin)]}
		if i.Init == nil {
			continue
		}
		i.Packet, _ = i.Init.Info.(*NordicInit)
		all = append(all, i)
	}
	return all
}

// String names it.
func (n NordicImage) String() string { return fmt.Sprintf("%s in %s", n.Kind, n.Init.Path()) }
