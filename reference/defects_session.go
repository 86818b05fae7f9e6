package reference

var sessionDefects = []Defect{
	{"keep-alive-off", "switches keep-alive off", []string{"protocol.keepalive-value"}},
	{"keep-alive-1h", "has a keep-alive of an hour", []string{"protocol.keepalive-value"}},
	{"ping-never", "measures rarely and forgets to ping in between", []string{"protocol.keepalive-sent"}},
	{"ping-no-timeout", "does not notice that nobody answers", []string{"fault.keepalive-no-pingresp", "fault.half-open-silent", "fault.half-open-nat", "protocol.malformed-stall", "environment.unsettled-network", "environment.nat-forgets", "environment.nat-address"}},
	{"ping-timeout-long", "waits three times its keep-alive for the answer to a ping", []string{"environment.nat-forgets", "environment.nat-address"}},
	{"ping-ignores-server-keepalive", "measures rarely and pings by its own keep-alive, not the server's", []string{"protocol.server-keep-alive"}},

	{"session-lost-no-resubscribe", "does not subscribe again when the server lost its session", []string{"protocol.session-absent", "protocol.session-expiry", "fault.broker-restart"}},
	{"clean-no-resubscribe", "throws its session away at every connection, and subscribes at its first only", []string{"protocol.resubscribe"}},
	{"state-once", "publishes its state at power-on only, and when it changes", []string{"fault.broker-restart"}},
	{"subscribe-always", "subscribes again although the server kept its session", []string{"protocol.session-present"}},
	{"clean-start", "throws its session away at every connection", []string{"protocol.clean-flag", "fault.half-open-nat"}},
	{"session-expiry-0", "lets its session end with the connection", []string{"protocol.clean-flag"}},
	{"settings-lost-at-reboot", "forgets everything at power-off", []string{"fault.retained-command"}},
	{"subscribe-everything", "subscribes to the commands of all units, and obeys them", []string{"security.subscription-scope"}},
	{"suback-missing-ignored", "does not notice that its subscription was never answered", []string{"fault.suback-missing"}},
	{"suback-refused-ignored", "takes a refused subscription for a granted one", []string{"protocol.suback-refused"}},
	{"suback-downgraded-hangs", "hangs when it is granted a lower QoS", []string{"protocol.suback-downgraded"}},

	{"will-missing", "leaves no will", []string{"protocol.will-present"}},
	{"will-not-retained", "leaves a will that is not retained", []string{"protocol.will-present"}},
	{"will-other-topic", "leaves its will on another topic than its status", []string{"protocol.will-present"}},
	{"birth-missing", "does not say on its status topic that it is back", []string{"fault.will-race", "protocol.will-present"}},
	{"birth-not-retained", "says that it is back, but not retained", []string{"fault.will-race", "protocol.will-present"}},
	{"disconnect-missing", "leaves without DISCONNECT", []string{"protocol.clean-disconnect"}},
}
