package keys

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// field reads a string of RFC 4251 section 5: its length and its bytes.
func field(in *cryptobyte.String) (b []byte, ok bool) {
	var size uint32
	ok = in.ReadUint32(&size) && size <= 1<<16 && in.ReadBytes(&b, int(size))
	return b, ok
}

// numbers reads n positive integers of RFC 4251 section 5.
func numbers(in *cryptobyte.String, n int) []*big.Int {
	list := make([]*big.Int, 0, n)
	for range n {
		b, ok := field(in)
		if !ok || len(b) == 0 || b[0] >= 0x80 {
			return nil
		}
		list = append(list, new(big.Int).SetBytes(b))
	}
	return list
}

const magicOpenSSH = "openssh-key-v1\x00"

func readOpenSSH(data []byte, at int) (Item, bool) {
	window := data[at:min(len(data), at+longest)]
	p, ok := parseOpenSSH(window)
	i := found(at, min(len(window), 512))
	i.Private = p
	return i, ok
}

// parseOpenSSH reads a key as PROTOCOL.key of OpenSSH describes it.
func parseOpenSSH(b []byte) (*Private, bool) {
	if !bytes.HasPrefix(b, []byte(magicOpenSSH)) {
		return nil, false
	}
	in := cryptobyte.String(b[len(magicOpenSSH):])
	cipher, ok1 := field(&in)
	_, ok2 := field(&in) // how the key of the cipher is derived
	_, ok3 := field(&in) // with what
	var count uint32
	if !ok1 || !ok2 || !ok3 || !in.ReadUint32(&count) || count != 1 {
		return nil, false
	}
	_, ok1 = field(&in)
	secret, ok2 := field(&in)
	if !ok1 || !ok2 || len(secret) < 32 {
		return nil, false
	}
	if string(cipher) != "none" {
		return &Private{Form: "OpenSSH", Encrypted: true, Secret: digest(secret)}, len(cipher) > 2 && len(cipher) < 40
	}
	s := cryptobyte.String(secret)
	var check [2]uint32
	if !s.ReadUint32(&check[0]) || !s.ReadUint32(&check[1]) || check[0] != check[1] {
		return nil, false
	}
	kind, ok := field(&s)
	if !ok {
		return nil, false
	}
	switch {
	case string(kind) == "ssh-rsa":
		if v := numbers(&s, 6); v != nil { // n, e, d, the inverse of q, p, q
			return rsaPrivate(v[0], v[1], v[2], v[4], v[5], "OpenSSH")
		}
	case string(kind) == "ssh-ed25519":
		public, ok1 := field(&s)
		both, ok2 := field(&s)
		if ok1 && ok2 && len(both) == 64 {
			return ed25519Pair(both, public, "OpenSSH")
		}
	case strings.HasPrefix(string(kind), "ecdsa-sha2-"):
		return ecdsaSSH(&s, "OpenSSH")
	}
	return nil, false
}

// ed25519Pair makes a key of the seed with the public key behind it, which must belong to it.
func ed25519Pair(both, public []byte, form string) (*Private, bool) {
	if plain(both[:32]) {
		return nil, false
	}
	p := ed25519Private(both[:32], form)
	return p, bytes.Equal(both[32:], public) && bytes.HasSuffix(p.Key.SPKI, public)
}

// ecdsaSSH reads the name of the curve, the point and the number.
func ecdsaSSH(s *cryptobyte.String, form string) (*Private, bool) {
	name, ok1 := field(s)
	point, ok2 := field(s)
	d := numbers(s, 1)
	if !ok1 || !ok2 || d == nil {
		return nil, false
	}
	c := curveNamed(string(name))
	if c == nil {
		return nil, false
	}
	return ecPrivate(d[0].Bytes(), c.oid, point, form)
}

// readDropbear reads a host key of Dropbear (its signkey.c): the kind, and its numbers. The same begins a public key of SSH in its own
// form, behind which there is no secret.
func readDropbear(data []byte, at int) (Item, bool) {
	s := cryptobyte.String(data[at:min(len(data), at+longest)])
	whole := len(s)
	kind, ok := field(&s)
	if !ok {
		return Item{}, false
	}
	var p *Private
	switch string(kind) {
	case "ssh-rsa":
		if v := numbers(&s, 5); v != nil { // e, n, d, p, q
			p, ok = rsaPrivate(v[1], v[0], v[2], v[3], v[4], "Dropbear")
		} else {
			ok = false
		}
	case "ssh-ed25519":
		both, fits := field(&s)
		if !fits || len(both) != 64 {
			return Item{}, false
		}
		p, ok = ed25519Pair(both, both[32:], "Dropbear")
	default:
		p, ok = ecdsaSSH(&s, "Dropbear")
	}
	i := found(at, whole-len(s))
	i.Private = p
	return i, ok
}

// readSSHPublic reads a public key as authorized_keys and known_hosts hold it.
func readSSHPublic(data []byte, at int) (Item, bool) {
	line := data[at:min(len(data), at+4096)]
	if end := bytes.IndexAny(line, "\r\n\x00"); end >= 0 {
		line = line[:end]
	}
	words := bytes.Fields(line)
	if len(words) < 2 {
		return Item{}, false
	}
	blob, err := base64.StdEncoding.DecodeString(string(bytes.TrimRight(words[1], `"',;\`)))
	if err != nil {
		return Item{}, false
	}
	s := cryptobyte.String(blob)
	kind, ok := field(&s)
	if !ok || !bytes.Equal(kind, words[0]) {
		return Item{}, false
	}
	var k *Key
	switch {
	case string(kind) == "ssh-rsa":
		v := numbers(&s, 2)
		if ok = v != nil && v[1].BitLen() >= 256 && v[1].BitLen() <= 16384 && v[0].BitLen() <= 64; ok {
			k = rsaKey(v[1], v[0])
		}
	case string(kind) == "ssh-ed25519":
		var public []byte
		if public, ok = field(&s); ok && len(public) == 32 {
			k = ed25519Key(public)
		}
	default:
		name, ok1 := field(&s)
		point, ok2 := field(&s)
		if c := curveNamed(string(name)); ok1 && ok2 && c != nil {
			k, _ = ecKey(c.oid, point)
		}
	}
	i := found(at, bytes.Index(line, words[1])+len(words[1]))
	i.Public = &Public{"SSH", k}
	return i, k != nil
}

// HostKeyFile says whether a file of that name usually holds the host key of an SSH server.
func HostKeyFile(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	return strings.HasPrefix(base, "ssh_host_") && !strings.HasSuffix(base, ".pub") || strings.HasPrefix(base, "dropbear_") && strings.HasSuffix(base, "_host_key") ||
		slices.Contains([]string{"ssh_host_key", "dropbear.key"}, base)
}
