// Package pins finds pins of public keys in bytes: SHA-256 digests in base64, by which a client knows the keys that it accepts (RFC 7469
// section 2.4). They are written as sha256/… (OkHttp, curl), in the network security configuration of Android and in that of TrustKit.
package pins

import (
	"bytes"
	"encoding/base64"
	"path"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// Pin is the digest of a public key with its place.
type Pin struct {
	Digest [32]byte
	Offset int64
}

const most = 1000 // of one content: who has more makes fun of us

// Find reads the pins in data, which is a content of that name, in the order in which they lie.
func Find(name string, data []byte) []Pin {
	if ext := strings.ToLower(path.Ext(name)); ext == ".xml" || ext == ".plist" {
		if listed := list(data); len(listed) > 0 {
			return listed
		}
	}
	var found []Pin
	mark := []byte("256/") // its first byte is rarer than that of sha256/
	for at := 0; len(found) < most; {
		next := bytes.Index(data[at:], mark)
		if next < 0 {
			break
		}
		at += next + len(mark)
		if !bytes.HasSuffix(data[:at], []byte("sha256/")) {
			continue
		}
		from := at
		if from < len(data) && data[from] == '/' { // as curl has it
			from++
		}
		if d, ok := digest(data[from:]); ok {
			found = append(found, Pin{d, int64(from)})
		}
	}
	return found
}

// list reads the digests in a file that lists pins, also where its strings are in UTF-16.
func list(data []byte) (found []Pin) {
	for _, word := range []string{"pin-set", "TSKPublicKeyHashes"} {
		if bytes.Contains(data, []byte(word)) {
			return digests(data, 1)
		}
		if wide := []byte(search.Wide(word)); bytes.Contains(data, wide) {
			odd := bytes.Index(data, wide) % 2
			found = digests(search.Narrow(data[odd:]), 2)
			for i := range found {
				found[i].Offset += int64(odd)
			}
			return found
		}
	}
	return nil
}

// digests reads all words that are a digest. Each byte of data was width bytes.
func digests(data []byte, width int64) (found []Pin) {
	for at := 0; at < len(data) && len(found) < most; {
		if !letter(data[at]) {
			at++
			continue
		}
		end := at
		for end < len(data) && letter(data[end]) {
			end++
		}
		// The length of a string in a table may be before it, and be a letter by chance.
		for _, from := range []int{at, end - Size + 1} {
			if from >= at && end-from == Size-1 {
				if d, ok := digest(data[from:]); ok {
					found = append(found, Pin{d, int64(from) * width})
					break
				}
			}
		}
		at = end
	}
	return found
}

// Size is how many letters a digest has, the last of which is =.
const Size = 44

// digest reads the digest at the beginning of data.
func digest(data []byte) (d [32]byte, ok bool) {
	if len(data) < Size || data[Size-1] != '=' || len(data) > Size && (letter(data[Size]) || data[Size] == '=') {
		return d, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(string(data[:Size]))
	if err != nil || len(raw) != len(d) || bytes.Count(raw, raw[:1]) == len(raw) { // AAAA…=, as examples have it
		return d, false
	}
	copy(d[:], raw)
	return d, true
}

func letter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}
