package boot

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// environment is the environment of U-Boot as it is stored (env/common.c): a CRC-32, little-endian, a byte that counts where there are two
// copies, and name=value, each ended by a zero, until an empty one. It has no magic: names are known with which one usually begins.
var environment = tree.Format{ID: "uboot-env", Title: "U-Boot environment", Magic: firstNames(4, 5), Search: true, Open: openEnvironment}

// compiled is the default environment in the code of U-Boot (env_default.h), which has no checksum.
var compiled = tree.Format{ID: "uboot-default-env", Title: "U-Boot default environment", Magic: firstNames(0), Search: true, Open: openCompiled}

// Environment is an environment of U-Boot.
type Environment struct {
	Variables [][2]string // name and value, in order
	Stored    bool        // with its checksum; else it is the default one
}

// Value is that of a variable.
func (e *Environment) Value(name string) (value string, ok bool) {
	for _, v := range e.Variables {
		if v[0] == name {
			return v[1], true
		}
	}
	return "", false
}

// firstNames are magics of names with which environments begin.
func firstNames(at ...int64) (all []tree.Magic) {
	for _, name := range []string{
		"arch=", "addip=", "addmisc=", "addtty=", "altbootcmd=", "autoload=", "baudrate=", "board=", "board_name=", "boot_a_script=", "boot_targets=",
		"bootargs=", "bootcmd=", "bootdelay=", "bootfile=", "console=", "ethact=", "ethaddr=", "fdt_addr=", "ipaddr=",
	} {
		for _, a := range at {
			all = append(all, tree.Magic{At: a, Bytes: name})
		}
	}
	return all
}

// longestEnvironment is in bytes; boards use 4 to 256 KiB.
const longestEnvironment = 1 << 20

func openEnvironment(o *tree.Opening) error {
	b, err := o.Read(0, int(min(o.Size(), longestEnvironment)))
	if err != nil || len(b) < 64 {
		return tree.ErrNot
	}
	want := binary.LittleEndian.Uint32(b)
	for _, start := range []int{4, 5} {
		if !begins(b[start:]) {
			continue
		}
		sum, done := uint32(0), start
		for end := 1 << 9; end <= len(b); end += 1 << 9 {
			sum, done = crc32.Update(sum, crc32.IEEETable, b[done:end]), end
			if sum != want {
				continue
			}
			variables, _ := variables(b[start:end])
			if len(variables) == 0 {
				return tree.ErrNot
			}
			o.Ends(int64(end))
			o.Info(&Environment{Variables: variables, Stored: true})
			o.Describe("%d variables, %d bytes", len(variables), end)
			return nil
		}
	}
	return tree.ErrNot
}

func openCompiled(o *tree.Opening) error {
	b, err := o.Read(0, int(min(o.Size(), 64<<10)))
	if err != nil {
		return tree.ErrNot
	}
	variables, size := variables(b)
	e := &Environment{Variables: variables}
	_, command := e.Value("bootcmd")
	_, delay := e.Value("bootdelay")
	if len(variables) < 3 || !command && !delay {
		return tree.ErrNot
	}
	o.Ends(int64(size))
	o.Info(e)
	o.Describe("%d variables", len(variables))
	return nil
}

// begins reports whether one of the known names is there.
func begins(b []byte) bool {
	for _, m := range compiled.Magic {
		if bytes.HasPrefix(b, []byte(m.Bytes)) {
			return true
		}
	}
	return false
}

// variables reads name=value until an empty one, or nothing when there is anything else. Size is how many bytes they take.
func variables(b []byte) (list [][2]string, size int) {
	for len(list) < 4096 {
		text, _, ended := bytes.Cut(b[size:], []byte{0})
		if !ended {
			return nil, 0
		}
		size += len(text) + 1
		if len(text) == 0 {
			return list, size
		}
		name, value, ok := strings.Cut(string(text), "=")
		if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) ||
			strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' && r != '\r' }) {
			return nil, 0
		}
		list = append(list, [2]string{name, strings.ToValidUTF8(value, "?")})
	}
	return nil, 0
}
