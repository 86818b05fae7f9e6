package reference

// trustDefects are those of certificates, roots and pins in the firmware image, and of what the server of updates sends.
var trustDefects = []Defect{
	{
		ID: "firmware-ended-certificate", What: "The client certificate in the firmware has expired",
		FoundBy: []string{"expiry.shipped-expired"},
	},
	{
		ID: "firmware-short-certificate", What: "The client certificate in the firmware ends years before the support does",
		FoundBy: []string{"expiry.own-horizon", "expiry.calendar"},
	},
	{
		ID: "firmware-short-root", What: "The root of the server of updates ends years before the support does",
		FoundBy: []string{"expiry.anchor-horizon", "expiry.calendar", "expiry.root-coverage"},
	},
	{
		ID: "firmware-weak-certificate", What: "The client certificate in the firmware has an RSA key of 1024 bits",
		FoundBy: []string{"security.certificate-weak"},
	},
	{
		ID: "firmware-authority-as-client", What: "The client certificate in the firmware may issue others, and its key lies beside it",
		FoundBy: []string{"security.certificate-authority"},
	},
	{
		ID: "firmware-without-root", What: "The firmware does not have the root of the server of updates",
		FoundBy: []string{"expiry.root-coverage"},
	},
	{
		ID: "firmware-single-pin", What: "The firmware pins one key and has none in reserve",
		FoundBy: []string{"expiry.pin-intermediate"},
	},
	{
		ID: "firmware-pins-intermediate", What: "The firmware pins the public authority that issued the server's certificate",
		FoundBy: []string{"expiry.pin-intermediate"},
	},
	{
		ID: "endpoint-late-renewal", What: "The server of updates does not renew its certificate, which ends in days",
		FoundBy: []string{"expiry.endpoint-renewal"},
	},
	{
		ID: "endpoint-long-certificate", What: "The public certificate of the server of updates lasts 450 days",
		FoundBy: []string{"expiry.lifetime-policy"},
	},
	{
		ID: "endpoint-missing-intermediate", What: "The server of updates sends its certificate without the intermediate",
		FoundBy: []string{"expiry.chain-missing-intermediate", "expiry.root-coverage"},
	},
	{
		ID: "endpoint-unknown-root", What: "The server of updates has a certificate below a root that the firmware does not have",
		FoundBy: []string{"expiry.root-coverage"},
	},
	{
		ID: "endpoint-cross-signed", What: "The server of updates sends its root as an older root signed it, which ends before the support does",
		FoundBy: []string{"expiry.chain-legacy-client"},
	},
	{
		ID: "endpoint-ended-member", What: "The server of updates goes on sending a certificate of its root that an expired root signed",
		FoundBy: []string{"expiry.chain-ended-member", "expiry.chain-legacy-client"},
	},
}
