package reference

// serviceDefects are those of what the firmware image starts, and of what was left in it from development.
var serviceDefects = []Defect{
	{ID: "firmware-telnet", What: "An init script of the firmware starts telnetd", FoundBy: []string{"security.telnet-service"}},
	{ID: "firmware-telnet-inetd", What: "inetd of the firmware starts telnetd", FoundBy: []string{"security.telnet-service"}},
	{ID: "firmware-telnet-cron", What: "cron of the firmware starts telnetd", FoundBy: []string{"security.telnet-service"}},
	{ID: "firmware-backdoor-shell", What: "An init script gives a shell to whoever connects to port 4444", FoundBy: []string{"security.backdoor-shell"}},
	{ID: "firmware-telnet-shell", What: "telnetd gives a shell without a login", FoundBy: []string{"security.backdoor-shell", "security.telnet-service"}},
	{ID: "firmware-ftp", What: "An init script starts an FTP server", FoundBy: []string{"security.ftp-service"}},
	{ID: "firmware-ssh-password", What: "The SSH server takes passwords", FoundBy: []string{"security.ssh-password"}},
	{ID: "firmware-android-debug", What: "The properties are those of a debug build", FoundBy: []string{"security.android-debug"}},
	{ID: "firmware-console-shell", What: "inittab gives a shell on the serial console", FoundBy: []string{"security.console-shell"}},
	{ID: "firmware-boot-shell", What: "The boot arguments start a shell in the place of init", FoundBy: []string{"security.console-shell"}},
	{ID: "firmware-uboot-console", What: "U-Boot waits three seconds for a key", FoundBy: []string{"security.uboot-console"}},
	{ID: "firmware-uboot-network", What: "U-Boot first tries to boot from the network", FoundBy: []string{"security.uboot-network"}},
	{ID: "firmware-debug-tools", What: "gdbserver is in the firmware", FoundBy: []string{"security.debug-tools"}},
	{ID: "firmware-upnp-open", What: "The port mapper is not in secure mode", FoundBy: []string{"security.upnp-open"}},
	{ID: "firmware-web-command", What: "A CGI program runs a command with the query", FoundBy: []string{"security.web-command"}},
	{ID: "firmware-wifi-open", What: "The access point has no encryption", FoundBy: []string{"security.wifi-open"}},
	{ID: "firmware-setuid", What: "A program of the maker is setuid root", FoundBy: []string{"security.file-rights"}},
	{ID: "firmware-world-writable", What: "Everybody may write to an init script", FoundBy: []string{"security.file-rights"}},
	{ID: "firmware-root-daemon", What: "The program of the thermostat runs as root", FoundBy: []string{"security.root-daemons"}},
	{ID: "firmware-kernel-debug", What: "The kernel was built with KGDB and an unrestricted /dev/mem", FoundBy: []string{"security.kernel-config"}},
	{ID: "firmware-old-kernel", What: "The kernel is of a series of 2016", FoundBy: []string{"security.kernel-age"}},
}
