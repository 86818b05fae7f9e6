// Package app reads what app packages are made of: the binary XML and resource tables of Android and their protobuf twins in bundles,
// signatures, byte code, property lists, Mach-O entitlements and provisioning profiles. The packages themselves are ZIP archives, which
// package archive opens.
//
// It reads bytes into types and judges nothing. What is read here is hostile: every reader is bounded by the size of what it is given,
// and by budgets where that is not enough.
package app

import (
	"errors"
	"fmt"
)

// errNot says that data are not of the format at all.
var errNot = errors.New("not of this format")

// mostText is how many bytes of text one document may give, however often it points at the same ones.
const mostText = 16 << 20

// Kind is what the value of an attribute or resource is.
type Kind int

// The kinds of values.
const (
	Null      Kind = iota
	Text           // in Text
	Number         // in Number, also of flags and enumerations
	Boolean        // in Number: 0 is false
	Reference      // to the resource whose id is in Number
	Other          // colours, sizes and the like
)

// Value is a value in a document or resource table of Android.
type Value struct {
	Kind   Kind
	Text   string // of Text; of the others what the source said, when it is told
	Number uint32
}

// Element is one of an XML document of Android.
type Element struct {
	Name     string
	Attrs    []Attr
	Children []*Element
	Text     string // that stands in it, without the space around
}

// Attr is an attribute of an element.
type Attr struct {
	Space string // URI of its name space; empty for none
	Name  string
	ID    uint32 // resource id of its name; 0: none
	Value Value
}

// Android is the name space of the attributes that Android defines.
const Android = "http://schemas.android.com/apk/res/android"

// Attr gives an attribute of Android's name space by its name. Packers that strip names leave the id, by which those that matter here are
// known as well.
func (e *Element) Attr(name string) (Value, bool) {
	for _, a := range e.Attrs {
		if a.Name == name && (a.Space == Android || a.Space == "") || a.ID != 0 && a.ID == attrIDs[name] {
			return a.Value, true
		}
	}
	return Value{}, false
}

// All gives the children of a name.
func (e *Element) All(name string) (list []*Element) {
	for _, c := range e.Children {
		if c.Name == name {
			list = append(list, c)
		}
	}
	return list
}

// attrIDs are resource ids of attributes (android.R.attr in the public.xml of the platform).
var attrIDs = map[string]uint32{
	"name": 0x01010003, "permission": 0x01010006, "readPermission": 0x01010007, "writePermission": 0x01010008, "enabled": 0x0101000e,
	"debuggable": 0x0101000f, "exported": 0x01010010, "minSdkVersion": 0x0101020c, "versionCode": 0x0101021b, "versionName": 0x0101021c,
	"targetSdkVersion": 0x01010270, "maxSdkVersion": 0x01010271, "testOnly": 0x01010272, "usesCleartextTraffic": 0x010104ec,
	"networkSecurityConfig": 0x01010527, "foregroundServiceType": 0x01010599, "usesPermissionFlags": 0x01010644,
}

// depth bounds the nesting of documents of all sorts.
const depth = 100

func bad(what string, at int) error { return fmt.Errorf("%s at %#x", what, at) }
