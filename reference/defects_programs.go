package reference

// programDefects are those of how the programs of the firmware image were built.
var programDefects = []Defect{
	{ID: "firmware-executable-stack", What: "The program of the thermostat asks for an executable stack", FoundBy: []string{"security.executable-stack"}},
	{ID: "firmware-unmarked-stack", What: "The program of the thermostat does not say what stack it needs", FoundBy: []string{"security.executable-stack"}},
	{ID: "firmware-fixed-address", What: "The program of the thermostat always lies at the same address", FoundBy: []string{"security.position-independent"}},
	{ID: "firmware-no-relro", What: "The relocations of the program can be written to", FoundBy: []string{"security.read-only-relocations"}},
	{ID: "firmware-lazy-binding", What: "The program binds functions when it first calls them", FoundBy: []string{"security.read-only-relocations"}},
	{ID: "firmware-no-stack-protector", What: "The program was built without stack protector", FoundBy: []string{"security.stack-protector"}},
	{ID: "firmware-not-fortified", What: "The program was built without the checks of the C library", FoundBy: []string{"security.fortified-calls"}},
	{ID: "firmware-rpath", What: "The program looks for libraries below /tmp", FoundBy: []string{"security.library-path"}},
	{ID: "firmware-symbols", What: "The program was not stripped", FoundBy: []string{"security.symbols-left"}},
	{ID: "firmware-unbounded-calls", What: "The program calls strcpy, sprintf and system", FoundBy: []string{"security.unbounded-functions"}},
	{ID: "firmware-weak-cipher", What: "The program encrypts with DES", FoundBy: []string{"security.weak-ciphers"}},
}
