package image

import "slices"

// programFlaws are those of how programs were built.
var programFlaws = []flaw{
	{"firmware-executable-stack", rebuilt(func(e *ELF) { e.Stack = StackExecutable })},
	{"firmware-unmarked-stack", rebuilt(func(e *ELF) { e.Stack = StackUnmarked })},
	{"firmware-fixed-address", rebuilt(func(e *ELF) { e.Fixed = true })},
	{"firmware-no-relro", rebuilt(func(e *ELF) { e.RELRO = false })},
	{"firmware-lazy-binding", rebuilt(func(e *ELF) { e.Now = false })},
	{"firmware-no-stack-protector", rebuilt(func(e *ELF) { e.without("__stack_chk_fail") })},
	{"firmware-not-fortified", rebuilt(func(e *ELF) { e.without("__snprintf_chk") })},
	{"firmware-rpath", rebuilt(func(e *ELF) { e.RPath, e.RunPath = "/usr/lib:/tmp/build/lib", "" })},
	{"firmware-symbols", rebuilt(func(e *ELF) { e.Symbols = []string{"main", "check_password", "factory_test"} })},
	{"firmware-unbounded-calls", rebuilt(func(e *ELF) { e.Imports = append(e.Imports, "strcpy", "sprintf", "system") })},
	{"firmware-weak-cipher", rebuilt(func(e *ELF) {
		e.Needed, e.Imports = append(e.Needed, "libcrypto.so.3"), append(e.Imports, "DES_ecb_encrypt", "DES_set_key_unchecked")
	})},
}

// rebuilt has the program of the thermostat built in another way.
func rebuilt(change func(*ELF)) func(root) {
	return func(r root) {
		e := application()
		change(&e)
		r.program(daemon, e)
	}
}

// without leaves a function out.
func (e *ELF) without(name string) {
	e.Imports = slices.DeleteFunc(e.Imports, func(s string) bool { return s == name })
}
