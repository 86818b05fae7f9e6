package reference

// fleetDefects are those of the cloud that show in what becomes of the messages of a whole fleet.
var fleetDefects = []Defect{
	{"cloud-acks-before-store", "acknowledges messages half a second before it hands them on, and forgets those of a client that is gone by then", []string{"telemetry.acknowledged-kept"}},
	{"cloud-duplicates", "hands every tenth message on twice", []string{"telemetry.no-duplicates"}},
	{"cloud-qos2-again-at-reconnect", "hands the last QoS 2 message of a client on once more when the client comes back", []string{"telemetry.no-duplicates"}},
	{"cloud-order-under-load", "lets messages of one client overtake each other when it sends more than three within a second", []string{"telemetry.order-under-load"}},
	{"cloud-key-mixed-at-reconnect", "mixes up the keys of a cache when many devices reconnect at once: commands also go to another device", []string{"fault.tenancy-under-reconnect"}},
	{"cloud-session-swapped", "hands the session of a device that comes back to another one", []string{"fault.tenancy-under-reconnect"}},
	{"cloud-hub-capped", "acknowledges and loses what a client sends beyond 60 messages in 10 s", []string{"load.hub-children"}},
	{"cloud-backlog-stalls", "does not acknowledge what a client sends beyond eight messages a second", []string{"load.backlog-drains"}},
	{"cloud-throttles-silently", "takes no notice of what a client sends beyond 50 messages a second", []string{"load.rate-limit-answers"}},
	{"cloud-throttles-unexplained", "refuses what a client sends beyond 50 messages a second with an error that says nothing", []string{"load.rate-limit-answers"}},
	{"cloud-sessions-left", "keeps the session of every tenth connection although it was to end with it", []string{"load.session-churn"}},
	{"cloud-takeovers-counted", "never gives back what a connection held that was taken over, and refuses everybody after 20 of them", []string{"load.duplicate-ids"}},
	{"cloud-takeover-hurts", "drops everybody at the tenth takeover", []string{"load.duplicate-ids"}},
	{"cloud-topics-capped", "acknowledges and loses what comes to new topics of a client that has used 300", []string{"load.topic-explosion"}},
	{"cloud-refused-count", "takes no more than 10 clients in 3 s, and counts those that it refuses", []string{"load.backoff-policy"}},

	{"cloud-claims-race", "gives devices that come new at the same moment the same identity", []string{"load.provisioning-storm"}},
	{"cloud-claims-forgotten", "gives a device that asks again for its identity another one", []string{"load.provisioning-storm"}},
	{"cloud-claims-half-done", "forgets the account of every fifth identity that it gives out", []string{"load.provisioning-storm"}},
	{"cloud-claims-refused-for-ever", "gives no device an identity any more once more than 20 came within five seconds", []string{"load.provisioning-storm"}},

	{"cloud-http-overload-error", "answers with 500 what a device sends over HTTP beyond five messages a second", []string{"load.rate-limit-status"}},
	{"cloud-http-overload-denied", "answers with 403 what a device sends over HTTP beyond five messages a second", []string{"load.rate-limit-status"}},
	{"cloud-http-overload-silent", "does not answer what a device sends over HTTP beyond five messages a second", []string{"load.rate-limit-status"}},

	{"cloud-restart-mixes-tenants", "mixes up whose session is whose after a restart", []string{"fault.tenancy-across-deploy"}},
}
