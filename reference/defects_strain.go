package reference

var strainDefects = []Defect{
	{"ack-late-crash", "crashes when an acknowledgement takes longer than 150 ms", []string{"environment.link-loss"}},
	{"ack-late-drop", "gives its connection up when an acknowledgement takes longer than 150 ms", []string{"environment.link-latency"}},
	{"ack-late-again", "reports and carries out again what is not acknowledged within 150 ms", []string{"environment.link-reorder-dup"}},
	{"outage-crash", "crashes when an acknowledgement takes longer than 3 s", []string{"environment.link-flap"}},
	{"connect-half-second", "gives a handshake half a second", []string{"environment.link-latency"}},
	{"telemetry-bloated", "sends a log of 32 KiB with each reading", []string{"environment.link-bandwidth"}},
	{"online-too-early", "calls itself online before its subscriptions are granted", []string{"fault.reconnect-false-success"}},
	{"stale-command-obeyed", "carries out a command whose time is over", []string{"fault.command-stale"}},
	{"mtu-no-probing", "goes on sending large packets where they are lost", []string{"environment.mtu-blackhole"}},
}
