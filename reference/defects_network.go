package reference

var networkDefects = []Defect{
	{"dns-ttl-ignored", "keeps the address of its cloud for ever", []string{"environment.dns-ttl"}},
	{"dns-first-address-only", "tries only the first address of its cloud", []string{"environment.dns-multi-a"}},
	{"dns-first-resolver-only", "asks only the first of its resolvers", []string{"environment.dns-failover"}},
	{"dns-failure-storm", "asks four times a second while DNS fails", []string{"environment.dns-failing"}},
	{"dns-failure-kept", "never asks again for a name that could not be found once", []string{"environment.dns-failing"}},
	{"dns-aliases-4", "gives up at a name with more than four aliases", []string{"environment.dns-answers"}},
	{"dns-many-addresses-crash", "crashes at an answer with more than eight addresses", []string{"environment.dns-answers"}},
	{"dns-no-tcp", "does not ask again over TCP when an answer is truncated", []string{"environment.dns-answers"}},
	{"dns-any-id", "believes answers with any id", []string{"environment.dns-spoof"}},
	{"dns-any-question", "believes answers to any question", []string{"environment.dns-spoof"}},
	{"dns-any-source", "believes answers from any port", []string{"environment.dns-spoof"}},
	{"dns-malformed-crash", "crashes at a malformed answer of DNS", []string{"environment.dns-malformed"}},
	{"dns-id-sequential", "counts the ids of its queries up", []string{"environment.dns-guess"}},
	{"dns-port-fixed", "asks from the same two ports", []string{"environment.dns-guess"}},
	{"dns-hardcoded", "asks a built-in resolver before those of its network", []string{"environment.dns-hardcoded"}},
	{"dns-hardcoded-only", "asks a built-in resolver only", []string{"environment.dns-hardcoded"}},
	{"dns-query-burst", "looks its cloud up five times for each attempt", []string{"environment.dns-rate"}},
}
