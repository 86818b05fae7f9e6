package reference

// cloudDefects are those of the cloud; a device is not changed by them.
var cloudDefects = []Defect{
	{"cloud-keepalive-early", "drops a silent client at 0.75 of its keep-alive", []string{"protocol.broker-keepalive"}},
	{"cloud-keepalive-never", "never drops a silent client", []string{"protocol.broker-keepalive", "protocol.broker-malformed"}},
	{"cloud-takeover-missing", "lets two clients connect with the same id", []string{"protocol.broker-takeover"}},
	{"cloud-takeover-unexplained", "drops the old one of two clients with the same id without saying why", []string{"protocol.broker-takeover"}},
	{"cloud-second-connect", "answers a second CONNECT on the same connection", []string{"protocol.broker-second-connect", "protocol.broker-v5", "protocol.broker-v311"}},
	{"cloud-waits-for-connect", "waits for CONNECT for ever and ignores what comes before it", []string{"protocol.broker-first-packet"}},

	{"cloud-will-lost", "does not publish wills", []string{"protocol.broker-will", "protocol.broker-v311", "protocol.broker-v5"}},
	{"cloud-will-after-goodbye", "publishes the will of a client that says goodbye", []string{"protocol.broker-will"}},
	{"cloud-will-late", "publishes wills 5 s late", []string{"protocol.broker-will"}},

	{"cloud-retained-stays", "cannot clear a retained message", []string{"protocol.broker-retained", "protocol.broker-v311"}},
	{"cloud-retained-first", "keeps the first retained message instead of the last", []string{"protocol.broker-retained"}},
	{"cloud-retained-qos", "sends retained messages with a higher QoS than asked for", []string{"protocol.broker-retained"}},
	{"cloud-dollar-leaks", "sends $SYS topics to a subscription of #", []string{"protocol.broker-dollar"}},
	{"cloud-overlap-thrice", "sends a message three times to overlapping subscriptions", []string{"protocol.broker-overlap"}},
	{"cloud-shared-to-all", "sends every message to all members of a shared subscription", []string{"protocol.broker-shared"}},
	{"cloud-qos2-twice", "delivers a repeated QoS 2 message twice", []string{"protocol.broker-qos2"}},

	{"cloud-session-lost", "forgets sessions and what is queued in them", []string{"protocol.broker-session-resume", "protocol.broker-v311"}},
	{"cloud-session-endless", "keeps sessions past their expiry", []string{"protocol.broker-session-expiry"}},
	{"cloud-order-broken", "hands out queued messages in another order", []string{"protocol.broker-session-resume"}},
	{"cloud-user-props-lost", "loses the user properties of messages", []string{"protocol.broker-v5"}},
	{"cloud-drift-user-props", "loses the user properties of messages since an update", []string{"apidrift.broker-version-drift"}},
	{"cloud-receive-maximum-ignored", "does not mind when its receive maximum is exceeded", []string{"protocol.broker-flow"}},
	{"cloud-long-topic-hurts", "drops everybody when a topic is longer than 32 KiB", []string{"load.broker-limits"}},

	{"cloud-malformed-accepted", "takes malformed packets and delivers what it can read of them", []string{"protocol.broker-malformed"}},
	{"cloud-malformed-deaf", "falls silent after a malformed packet, with the connection open", []string{"protocol.broker-malformed"}},
	{"cloud-malformed-hurts", "drops everybody after a malformed packet", []string{"protocol.broker-malformed"}},

	{"cloud-anonymous", "takes clients without credentials", []string{"security.broker-anonymous"}},
	{"cloud-any-password", "takes any password", []string{"security.broker-anonymous"}},
	{"cloud-acl-write", "lets every device write every topic", []string{"security.broker-acl"}},
	{"cloud-acl-read", "lets every device read every topic", []string{"security.broker-acl"}},
	{"cloud-id-unbound", "takes every client id with any valid credentials", []string{"security.broker-clientid-binding"}},
	{"cloud-herd-rejected", "turns away the third client that comes within a second", []string{"load.broker-reconnect-herd"}},

	{"cloud-drops-under-pressure", "acknowledges messages and loses them when more than 30 come within a second", []string{"load.fleet-limits", "load.spike"}},
	{"cloud-connections-capped", "turns away who comes when 30 clients are connected", []string{"load.fleet-limits", "load.connect-ramp", "load.capacity"}},
	{"cloud-refuses-for-ever", "turns everybody away once more than 30 clients came within two seconds", []string{"load.broker-reconnect-herd"}},
	{"cloud-session-leak", "keeps the sessions of clients that left, and turns everybody away when it has 100", []string{"load.broker-reconnect-herd"}},
	{"cloud-wills-capped", "keeps no wills of clients that come when 20 are connected", []string{"load.will-flood"}},
	{"cloud-retained-cut-short", "sends a client no more than 100 retained messages", []string{"load.retained-flood"}},
	{"cloud-fan-out-short", "delivers a message for all devices to every other one", []string{"load.fan-out"}},
	{"cloud-subscribe-quadratic", "takes four times as long for a subscription when there are twice as many", []string{"load.subscribe-growth"}},
	{"cloud-slow-subscriber-loses", "acknowledges messages and loses them while one subscriber is slow", []string{"load.slow-wildcard"}},
	{"cloud-window-overrun", "sends more messages than the client has room for", []string{"load.inflight-window"}},
	{"cloud-big-starves-small", "acknowledges small messages and loses them for a second after each large one", []string{"load.big-among-small"}},
	{"cloud-one-writer", "writes to one client after the other, and waits for each", []string{"load.slow-consumer"}},
	{"cloud-half-open-refused", "turns a client away whose old connection is still open", []string{"load.half-open"}},
	{"cloud-pings-lost", "does not answer pings when more than 20 come within five seconds", []string{"load.keep-alive-herd"}},
	{"cloud-handshakes-limited", "closes connections when more than 30 come within ten seconds", []string{"load.tls-storm"}},
	{"cloud-tickets-useless", "gives out session tickets and takes none of them", []string{"load.tls-storm"}},
}
