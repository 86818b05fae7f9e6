package main

import (
	"encoding/json"
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
		f, err := macho.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		entitlements, err := os.ReadFile(args[3])
		if err != nil {
			return err
		}
		if err := f.CodeSign(&codesign.Config{ID: args[2], Flags: types.ADHOC, Entitlements: entitlements}); err != nil {
			return err
		}
		return f.Save(args[1])
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
