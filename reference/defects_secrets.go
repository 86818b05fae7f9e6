package reference

// secretDefects are those of keys, tokens and passwords in the firmware images.
var secretDefects = []Defect{
	{
		ID: "firmware-private-key-pem", What: "The firmware holds the private key of all devices as PEM",
		FoundBy: []string{"security.private-key-pem"},
	},
	{
		ID: "firmware-private-key-der", What: "A library of the firmware has the private key of all devices compiled in",
		FoundBy: []string{"security.private-key-der"},
	},
	{
		ID: "firmware-ssh-host-key", What: "The firmware brings a host key for SSH along",
		FoundBy: []string{"security.ssh-host-key"},
	},
	{
		ID: "firmware-test-key", What: "A boot loader in the firmware trusts the sample key of MCUboot",
		FoundBy: []string{"security.public-test-key"},
	},
	{
		ID: "firmware-weak-key", What: "The key of updates is RSA of 1024 bits",
		FoundBy: []string{"security.weak-key"},
	},
	{
		ID: "firmware-cloud-token", What: "A script of the firmware holds a GitHub token",
		FoundBy: []string{"security.cloud-token"},
	},
	{
		ID: "firmware-session-token", What: "The firmware holds a session token",
		FoundBy: []string{"security.session-token"},
	},
	{
		ID: "firmware-broker-password", What: "The configuration of the firmware holds the password of the broker",
		FoundBy: []string{"security.broker-password"},
	},
	{
		ID: "firmware-broker-url", What: "A library of the firmware holds the URL of the broker with a password",
		FoundBy: []string{"security.broker-password"},
	},
	{
		ID: "firmware-wifi-password", What: "The firmware holds the key of the office network",
		FoundBy: []string{"security.wifi-password"},
	},
	{
		ID: "firmware-config-password", What: "The web interface has a password that is built in",
		FoundBy: []string{"security.config-password"},
	},
	{
		ID: "firmware-snmp-community", What: "SNMP lets everybody write who knows the word private",
		FoundBy: []string{"security.config-password"},
	},
	{
		ID: "firmware-leftover-history", What: "The firmware holds a shell history",
		FoundBy: []string{"security.leftover-file"},
	},
	{
		ID: "firmware-leftover-git", What: "The web root holds a .git folder",
		FoundBy: []string{"security.leftover-file"},
	},
	{
		ID: "firmware-known-key", What: "Zigbee devices join by the default link key",
		FoundBy: []string{"security.known-key"},
	},
	{
		ID: "firmware-plain-url", What: "Updates come over http",
		FoundBy: []string{"security.plain-url"},
	},
	{
		ID: "firmware-development-url", What: "The firmware speaks to the API of the staging system",
		FoundBy: []string{"security.development-url"},
	},
	{
		ID: "firmware-private-address", What: "The firmware speaks to an address of a developer's network",
		FoundBy: []string{"security.development-url"},
	},
	{
		ID: "firmware-undeclared-destination", What: "The firmware sends statistics to somebody who is not declared",
		FoundBy: []string{"security.undeclared-destination"},
	},
	{
		ID: "firmware-extra-root", What: "The firmware has a second account with the rights of root",
		FoundBy: []string{"security.extra-root"},
	},
	{
		ID: "firmware-shared-key", What: "Thermostat and sensor have the same private key",
		FoundBy: []string{"security.shared-key", "security.private-key-pem"},
	},
	{
		ID: "firmware-shared-certificate", What: "Thermostat and sensor log in to the cloud with the same certificate",
		FoundBy: []string{"security.shared-certificate"},
	},
	{
		ID: "firmware-shared-password", What: "Thermostat and sensor have the same password hash",
		FoundBy: []string{"security.shared-secret"},
	},
	{
		ID: "firmware-logged-secret", What: "A library of the firmware logs the key of the network",
		FoundBy: []string{"security.logged-secret"},
	},
	{
		ID: "firmware-default-password", What: "An account has a password of the list of Mirai",
		FoundBy: []string{"security.default-password"},
	},
	{
		ID: "firmware-product-password", What: "An account has the name of the product and 123 as its password",
		FoundBy: []string{"security.default-password", "security.weak-password-hash"},
	},
	{
		ID: "firmware-des-password", What: "A password is hashed with DES",
		FoundBy: []string{"security.weak-password-hash"},
	},
}
