package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// readPEM reads a textual encoding (RFC 7468), also as it stands in a string of a program or of JSON, with \n for the ends of its lines.
func readPEM(data []byte, at int) (Item, bool) {
	window := data[at:min(len(data), at+longest)]
	label, _, ok := bytes.Cut(window[len("-----BEGIN "):min(len(window), 64)], []byte("-----"))
	if !ok || len(label) > 40 || bytes.ContainsAny(label, "\n\x00") {
		return Item{}, false
	}
	if !strings.HasSuffix(string(label), "PRIVATE KEY") && !strings.HasSuffix(string(label), "CERTIFICATE") && !strings.HasSuffix(string(label), "PUBLIC KEY") {
		return Item{}, false
	}
	body := window[len("-----BEGIN ")+len(label)+len("-----"):]
	end := bytes.Index(body, []byte("-----"))
	if end < 0 || !bytes.HasPrefix(body[end:], []byte("-----END ")) {
		return Item{}, false
	}
	size := len(window) - len(body) + end + min(len(body)-end, len("-----END ")+len(label)+len("-----"))
	der, encrypted, ok := decode(body[:end])
	if !ok {
		return Item{}, false
	}
	i := found(at, size)
	return i, i.fill(string(label), der, encrypted)
}

// readWidePEM reads one in UTF-16.
func readWidePEM(data []byte, at int) (Item, bool) {
	window := data[at:min(len(data), at+2*longest)]
	dashes, size := []byte(search.Wide("-----")), 2*len("-----BEGIN ")
	for range 2 { // those behind the label, those of the end
		next := bytes.Index(window[size:], dashes)
		if next < 0 {
			return Item{}, false
		}
		size += next + len(dashes)
	}
	narrow := search.Narrow(window[:min(len(window), size+2*64)])
	i, ok := readPEM(narrow, 0)
	i.Offset, i.End = int64(at), int64(at)+2*i.End
	return i, ok
}

// decode gives the bytes of the body, and whether its headers (RFC 1421) say that they are encrypted.
func decode(body []byte) (der []byte, encrypted, ok bool) {
	text := make([]byte, 0, len(body))
	for line := range bytes.FieldsFuncSeq(bytes.ReplaceAll(bytes.ReplaceAll(body, []byte(`\r`), nil), []byte(`\n`), []byte("\n")), ends) {
		line = bytes.Trim(line, " \t\"',\\;#*")
		if bytes.Contains(line, []byte(": ")) {
			encrypted = encrypted || bytes.Contains(line, []byte("ENCRYPTED"))
			continue
		}
		if string(line) == "+" { // which joins two strings
			continue
		}
		text = append(text, line...)
	}
	der = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(der, text)
	return der[:n], encrypted, err == nil && n > 0
}

func ends(r rune) bool { return r == '\n' || r == '\r' || r == 0 }

// fill makes the item what the label says, of its bytes.
func (i *Item) fill(label string, der []byte, encrypted bool) (ok bool) {
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		if label == "TRUSTED CERTIFICATE" { // of OpenSSL: what it is trusted for stands behind
			if der, ok = sequenceAt(der, 0); !ok {
				return false
			}
		}
		cert, err := x509.ParseCertificate(der)
		i.Cert = cert
		return err == nil
	case "PUBLIC KEY":
		k, ok := parseSPKI(der)
		i.Public = &Public{"PEM", k}
		return ok
	case "RSA PUBLIC KEY":
		k, ok := parseRSAPublic(der)
		i.Public = &Public{"PEM", k}
		return ok
	}
	switch {
	case label == "OPENSSH PRIVATE KEY":
		i.Private, ok = parseOpenSSH(der)
	case label == "ENCRYPTED PRIVATE KEY" || encrypted:
		// Whatever it holds, it is no sequence or whole blocks of a cipher by accident.
		_, sequence := sequenceAt(der, 0)
		ok = len(der) >= 32 && (encrypted && len(der)%8 == 0 || sequence)
		i.Private = &Private{Form: "PEM", Encrypted: true, Secret: digest(der)}
	case label == "RSA PRIVATE KEY":
		i.Private, ok = parseRSA(der, "PEM")
	case label == "EC PRIVATE KEY":
		i.Private, ok = parseEC(der, nil, "PEM")
	case label == "PRIVATE KEY":
		i.Private, ok = parsePKCS8(der, "PEM")
	}
	return ok
}

// readBase64 reads a key in base64 that no line around it announces. The mark is somewhere in its first 48 characters.
func readBase64(data []byte, at int) (Item, bool) {
	from := at
	for from > 0 && at-from < 48 && base64Letter(data[from-1]) {
		from--
	}
	// The first bytes tell how long it is: no more than that is looked at, so that beginnings that follow each other cost no more each.
	window := data[from:min(len(data), from+longest)]
	end, letters, most := 0, 0, keyLetters(data[from:min(len(data), from+100)])
	for end < len(window) && letters < most && (base64Letter(window[end]) || window[end] == '\n' || window[end] == '\r') {
		if base64Letter(window[end]) {
			letters++
		}
		end++
	}
	text := bytes.Join(bytes.FieldsFunc(window[:end], ends), nil)
	for skip := range 4 { // it may begin behind other letters
		if len(text) < skip+40 {
			break
		}
		cut := text[skip:]
		der := make([]byte, base64.RawStdEncoding.DecodedLen(len(cut)))
		n, _ := base64.RawStdEncoding.Decode(der, cut) // what follows a key may be anything
		for start := range min(n, 3) {
			seq, ok := sequenceAt(der[:n], start)
			if !ok {
				continue
			}
			p, ok := parsePKCS8(seq, "base64")
			if !ok {
				p, ok = parseRSA(seq, "base64")
			}
			if ok {
				i := found(from, end)
				i.Private = p
				return i, true
			}
		}
	}
	return Item{}, false
}

// keyLetters is how many letters the longest key may have that begins in a text of base64, with what may stand before it.
func keyLetters(text []byte) (most int) {
	text = bytes.Join(bytes.FieldsFunc(text, ends), nil)
	der := make([]byte, 3*len(text)/4+3)
	for skip := range min(4, len(text)) {
		n, _ := base64.RawStdEncoding.Decode(der, text[skip:])
		for start := range min(n, 3) {
			if der[start] != 0x30 {
				continue
			}
			if size, head, ok := derLength(der[start+1 : n]); ok {
				most = max(most, skip+(start+1+head+size+2)*4/3+4)
			}
		}
	}
	return most
}

func base64Letter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}
