package reference

var routerDefects = []Defect{
	{"dhcp-gives-up", "asks four times for an address, and then no more", []string{"environment.dhcp-retry", "environment.power-cut-all"}},
	{"dhcp-hammer", "asks for an address twice a second", []string{"environment.dhcp-retry"}},
	{"dhcp-never-renews", "does not renew its lease", []string{"environment.dhcp-renew"}},
	{"dhcp-renew-broadcast", "renews its lease by broadcast", []string{"environment.dhcp-renew"}},
	{"dhcp-nak-ignored", "goes on with an address that was refused", []string{"environment.dhcp-nak"}},
	{"dhcp-keeps-expired", "goes on with an address whose lease is over", []string{"environment.dhcp-expired"}},
	{"dhcp-options-once", "looks at DHCP options only in its first lease", []string{"environment.dhcp-options"}},
	{"dhcp-mtu-ignored", "ignores the MTU that DHCP tells", []string{"environment.dhcp-options"}},
	{"dhcp-no-probe", "does not look whether somebody has its address", []string{"environment.dhcp-conflict"}},
	{"arp-static", "keeps the Ethernet address of its first router for ever", []string{"environment.gateway-replaced"}},
	{"telnet-open", "leaves a console open for its home network", []string{"environment.open-ports"}},
	{"telnet-open-ipv6", "leaves a console open for the IPv6 internet", []string{"environment.ipv6-exposure"}},
	{"tcp-isn-constant", "begins every connection with the same sequence number", []string{"environment.tcp-isn"}},
	{"tcp-isn-counts", "begins each connection 64,000 after the one before", []string{"environment.tcp-isn"}},
	{"ipv6-freezes", "stops sending readings when its network has IPv6", []string{"environment.ipv6-appears"}},
	{"tells-others", "tells a host of somebody else of every start", []string{"environment.destinations"}},
	{"chatters", "sends 20 KB a second to its router", []string{"environment.destinations"}},
	{"offline-gives-up", "gives up after three failed attempts in a row", []string{"environment.router-reboot", "environment.wan-down"}},
	{"cloud-watchdog", "starts anew after 40 s without its cloud", []string{"fault.cloud-blackhole"}},
	{"local-needs-cloud", "answers in its home network only while it is online", []string{"fault.cloud-blackhole"}},
}
