package app

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"io"
	"slices"
)

// Signatures are those of an APK. Whether they hold is not looked at: phones do that.
type Signatures struct {
	Schemes []int // 1: JAR, 2, 3 and 31: APK signature scheme v2, v3, v3.1
	Signers []*x509.Certificate
}

// add keeps a scheme and its certificates.
func (s *Signatures) add(scheme int, certificates []*x509.Certificate) {
	if len(certificates) > 0 && !slices.Contains(s.Schemes, scheme) {
		s.Schemes = append(s.Schemes, scheme)
	}
	for _, c := range certificates {
		if len(s.Signers) < mostSigners && !slices.ContainsFunc(s.Signers, c.Equal) {
			s.Signers = append(s.Signers, c)
		}
	}
}

const (
	mostSigners  = 20
	mostSigBlock = 16 << 20
)

// JAR adds a signature of scheme 1: a block in META-INF that ends in .RSA, .DSA or .EC, which is CMS. The first certificate is the
// signer's.
func (s *Signatures) JAR(block []byte) error {
	_, certificates, err := parseCMS(block)
	if len(certificates) > 0 {
		s.add(1, certificates[:1])
	}
	return err
}

// Block adds what the APK Signing Block says, which lies before the directory of the archive (source.android.com, APK signature schemes v2
// and v3). No block is no error.
func (s *Signatures) Block(r io.ReaderAt, size int64) error {
	directory, ok := zipDirectory(r, size)
	const footer = 24
	if !ok || directory < footer+8 {
		return nil
	}
	foot, err := readAt(r, size, directory-footer, footer)
	if err != nil || string(foot[8:]) != "APK Sig Block 42" {
		return nil
	}
	length := binary.LittleEndian.Uint64(foot)
	if length < footer || length > mostSigBlock || int64(length) > directory-8 {
		return bad("the signing block does not fit", int(directory-footer))
	}
	b, err := readAt(r, size, directory-int64(length), int64(length)-footer)
	if err != nil {
		return err
	}
	schemes := map[uint32]int{0x7109871a: 2, 0xf05368c0: 3, 0x1b93ad61: 31}
	for len(b) >= 12 {
		n := binary.LittleEndian.Uint64(b)
		if n < 4 || n > uint64(len(b)-8) {
			return bad("a part of the signing block does not fit", int(directory)-footer-len(b))
		}
		if scheme := schemes[binary.LittleEndian.Uint32(b[8:])]; scheme != 0 {
			s.add(scheme, blockSigners(b[12:8+n]))
		}
		b = b[8+n:]
	}
	return nil
}

// blockSigners gives the first certificate of each signer, which is its own.
func blockSigners(b []byte) (list []*x509.Certificate) {
	signers, _ := prefixed(&b)
	for len(signers) > 0 && len(list) < mostSigners {
		signer, ok := prefixed(&signers)
		if !ok {
			break
		}
		signed, _ := prefixed(&signer)
		if _, ok := prefixed(&signed); !ok { // the digests
			continue
		}
		certificates, _ := prefixed(&signed)
		der, _ := prefixed(&certificates)
		if c, err := x509.ParseCertificate(der); err == nil {
			list = append(list, c)
		}
	}
	return list
}

// prefixed takes a run with its length of 32 bits off b.
func prefixed(b *[]byte) ([]byte, bool) {
	if len(*b) < 4 {
		*b = nil
		return nil, false
	}
	n := binary.LittleEndian.Uint32(*b)
	if uint64(n) > uint64(len(*b)-4) {
		*b = nil
		return nil, false
	}
	run := (*b)[4 : 4+n]
	*b = (*b)[4+n:]
	return run, true
}

// zipDirectory is where the directory of an archive begins.
func zipDirectory(r io.ReaderAt, size int64) (int64, bool) {
	const end = 22
	tail := min(size, end+1<<16)
	b, err := readAt(r, size, size-tail, tail)
	if err != nil {
		return 0, false
	}
	for i := len(b) - end; i >= 0; i-- {
		if !bytes.HasPrefix(b[i:], []byte("PK\x05\x06")) {
			continue
		}
		length, at := int64(binary.LittleEndian.Uint32(b[i+12:])), int64(binary.LittleEndian.Uint32(b[i+16:]))
		if at+length == size-tail+int64(i) {
			return at, true
		}
	}
	return 0, false
}
