package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/blacktop/go-macho"
	"github.com/blacktop/go-macho/pkg/codesign"
	"github.com/blacktop/go-macho/pkg/codesign/types"
)

// machO is what is printed of a program.
type machO struct {
	Libraries    []string
	MinOS, SDK   string
	Entitlements string
}

// program works with the library of ipsw.
func program(verb string, args []string, out io.Writer) error {
	switch {
	case verb == "sign" && len(args) == 4:
		return sign(args[0], args[1], args[2], args[3])
	case verb == "join" && len(args) >= 2:
		f, err := macho.CreateFat(args[0], args[1:]...)
		if err != nil {
			return err
		}
		return f.Close()
	case verb == "show" && len(args) == 1:
		return show(args[0], out)
	}
	return errUsage
}

// sign puts a signature in the place of the one that Go's linker wrote.
func sign(in, out, id, entitlements string) error {
	data, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	f, err := macho.NewFile(bytes.NewReader(data))
	if err != nil {
		return err
	}
	old, text := f.CodeSignature(), f.Segment("__TEXT")
	if old == nil || text == nil {
		return fmt.Errorf("%s has no signature yet", in)
	}
	c := &codesign.Config{ID: id, Flags: types.ADHOC, IsMain: true, CodeSize: uint64(old.Offset), TextOffset: text.Offset, TextSize: text.Filesz}
	c.InitSlotHashes()
	if c.Entitlements, err = os.ReadFile(entitlements); err != nil {
		return err
	}
	size := codesign.EstimateCodeSignatureSize(c)
	command := binary.LittleEndian.AppendUint32([]byte{byte(old.LoadCmd), 0, 0, 0, 16, 0, 0, 0}, old.Offset)
	at := bytes.Index(data, command)
	data = data[:old.Offset]
	binary.LittleEndian.PutUint32(data[at+len(command):], uint32(size))
	signature, err := codesign.Sign(bytes.NewReader(data), c)
	if err != nil {
		return err
	}
	signature = append(signature, bytes.Repeat([]byte{0}, max(0, int(size)-len(signature)))...)
	return os.WriteFile(out, append(data, signature...), 0o755)
}

func show(name string, out io.Writer) error {
	var all []machO
	if fat, err := macho.OpenFat(name); err == nil {
		defer fat.Close()
		for _, a := range fat.Arches {
			all = append(all, told(a.File))
		}
	} else {
		f, err := macho.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		all = append(all, told(f))
	}
	return json.NewEncoder(out).Encode(all)
}

func told(f *macho.File) machO {
	p := machO{Libraries: f.ImportedLibraries()}
	if v := f.BuildVersions(); len(v) > 0 {
		p.MinOS, p.SDK = v[0].Minos.String(), v[0].Sdk.String()
	} else if v := f.VersionMin(); v != nil {
		p.MinOS, p.SDK = v.Version.String(), v.Sdk.String()
	}
	if s := f.CodeSignature(); s != nil {
		p.Entitlements = s.Entitlements
	}
	return p
}
