package app

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Profile is a provisioning profile of Apple, which says on what devices and until when an app that is not from the store runs.
type Profile struct {
	Name         string
	Created      time.Time
	Expires      time.Time
	AllDevices   bool // of an organisation, for all of its devices
	Devices      int  // how many are listed
	Entitlements Dict
}

// Store reports whether it is for the store, which signs anew: what it says of time ends there.
func (p *Profile) Store() bool { return !p.AllDevices && p.Devices == 0 }

// ParseProfile reads an embedded.mobileprovision: a property list in a CMS envelope. The signature is not looked at.
func ParseProfile(data []byte) (*Profile, error) {
	inside, _, err := parseCMS(data)
	if err != nil || len(inside) == 0 { // BER of indefinite lengths: the list still stands in it as text
		from, to := bytes.Index(data, []byte("<?xml")), bytes.LastIndex(data, []byte("</plist>"))
		if from < 0 || to < from {
			return nil, errNot
		}
		inside = data[from : to+len("</plist>")]
	}
	d, err := ParsePlist(inside)
	if err != nil {
		return nil, err
	}
	p := &Profile{Name: d.Text("Name"), AllDevices: d.True("ProvisionsAllDevices"), Entitlements: d.Dict("Entitlements")}
	p.Created, _ = d["CreationDate"].(time.Time)
	p.Expires, _ = d["ExpirationDate"].(time.Time)
	if list, ok := d["ProvisionedDevices"].([]any); ok {
		p.Devices = len(list)
	}
	if p.Expires.IsZero() {
		return p, errors.New("it says nothing of when it ends")
	}
	return p, nil
}

// parseCMS reads the content and the certificates of a SignedData (RFC 5652 section 5.1) in DER.
func parseCMS(data []byte) (content []byte, certificates []*x509.Certificate, err error) {
	in := cryptobyte.String(data)
	var outer, wrapped, signed, encap, set cryptobyte.String
	var oid cryptobyte.String
	ok := in.ReadASN1(&outer, asn1.SEQUENCE) && outer.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) &&
		outer.ReadASN1(&wrapped, asn1.Tag(0).ContextSpecific().Constructed()) && wrapped.ReadASN1(&signed, asn1.SEQUENCE) &&
		signed.SkipASN1(asn1.INTEGER) && signed.SkipASN1(asn1.SET) && signed.ReadASN1(&encap, asn1.SEQUENCE) && encap.SkipASN1(asn1.OBJECT_IDENTIFIER)
	if !ok {
		return nil, nil, errNot
	}
	var explicit, octets cryptobyte.String
	if encap.ReadASN1(&explicit, asn1.Tag(0).ContextSpecific().Constructed()) && explicit.ReadASN1(&octets, asn1.OCTET_STRING) {
		content = octets
	}
	if signed.PeekASN1Tag(asn1.Tag(0).ContextSpecific().Constructed()) && signed.ReadASN1(&set, asn1.Tag(0).ContextSpecific().Constructed()) {
		for !set.Empty() && len(certificates) < mostSigners {
			var one cryptobyte.String
			var tag asn1.Tag
			if !set.ReadAnyASN1Element(&one, &tag) {
				break
			}
			if c, err := x509.ParseCertificate(one); err == nil {
				certificates = append(certificates, c)
			}
		}
	}
	return content, certificates, nil
}
