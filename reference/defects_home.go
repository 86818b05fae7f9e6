package reference

var homeDefects = []Defect{
	{"mdns-no-announce", "answers in its home network, and never announces itself", []string{"environment.mdns-announce"}},
	{"mdns-deaf", "announces itself in its home network, and answers nobody", []string{"environment.mdns-announce"}},
	{"mdns-address-once", "does not notice that it has another address", []string{"environment.mdns-announce"}},
	{"mdns-no-flush", "announces its records without the cache-flush bit", []string{"environment.mdns-announce"}},
	{"mdns-ip-ttl", "sends multicast DNS with IP TTL 64", []string{"environment.mdns-announce"}},
	{"mdns-no-probe", "takes a name in its home network without asking", []string{"environment.mdns-conflict"}},
	{"mdns-conflict-ignored", "keeps a name that a neighbour has", []string{"environment.mdns-conflict"}},
	{"mdns-conflict-mute", "falls silent when a neighbour has its name", []string{"environment.mdns-conflict"}},
	{"mdns-undefended", "lets others take its name", []string{"environment.mdns-conflict"}},
	{"mdns-no-goodbye", "leaves its home network without goodbye", []string{"environment.mdns-goodbye"}},
	{"mdns-goodbye-host-only", "takes only its host name back when it leaves", []string{"environment.mdns-goodbye"}},
	{"mdns-periodic", "announces itself every 10 s", []string{"environment.mdns-noperiodic"}},
	{"local-not-told", "does not tell its cloud where it is in its home network", []string{"environment.multicast-off"}},
}
