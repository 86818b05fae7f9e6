package reference

// fleetDefects are those of the cloud that show in what becomes of the messages of a whole fleet.
var fleetDefects = []Defect{
	{"cloud-acks-before-store", "acknowledges messages half a second before it hands them on, and forgets those of a client that is gone by then", []string{"telemetry.acknowledged-kept"}},
	{"cloud-duplicates", "hands every tenth message on twice", []string{"telemetry.no-duplicates"}},
	{"cloud-qos2-again-at-reconnect", "hands the last QoS 2 message of a client on once more when the client comes back", []string{"telemetry.no-duplicates"}},
	{"cloud-order-under-load", "lets messages of one client overtake each other when it sends more than three within a second", []string{"telemetry.order-under-load"}},
	{"cloud-key-mixed-at-reconnect", "mixes up the keys of a cache when many devices reconnect at once: commands also go to another device", []string{"fault.tenancy-under-reconnect"}},
	{"cloud-session-swapped", "hands the session of a device that comes back to another one", []string{"fault.tenancy-under-reconnect"}},
	{"cloud-restart-mixes-tenants", "mixes up whose session is whose after a restart", []string{"fault.tenancy-across-deploy"}},
}
