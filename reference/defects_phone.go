package reference

// phoneDefects are those of the apps.
var phoneDefects = []Defect{
	{
		ID: "android-old-target", What: "The Android app targets API level 35, which Google Play took until August 2026",
		FoundBy: []string{"mobileos.android-target-deadline"},
	},
	{
		ID: "android-old-bluetooth", What: "The Android app declares the Bluetooth permissions of Android 11 alone, for all versions",
		FoundBy: []string{"mobileos.android-bluetooth-permissions"},
	},
	{
		ID: "android-never-asks", What: "The Android app never asks the user for a permission",
		FoundBy: []string{"mobileos.android-notifications", "mobileos.android-bluetooth-permissions"},
	},
	{
		ID: "android-no-location", What: "The Android app scans for Bluetooth devices and has no location permission for Android 8 to 11",
		FoundBy: []string{"mobileos.android-scan-location"},
	},
	{
		ID: "android-host-refused", What: "The network security config of the Android app refuses HTTP to the address that the app uses for set-up",
		FoundBy: []string{"mobileos.android-cleartext"},
	},
	{
		ID: "android-untyped-service", What: "A foreground service of the Android app has no type",
		FoundBy: []string{"mobileos.android-service-type"},
	},
	{
		ID: "android-type-permission", What: "The Android app lacks the permission of the type of one of its foreground services",
		FoundBy: []string{"mobileos.android-service-type"},
	},
	{
		ID: "android-no-timeout", What: "The synchronising service of the Android app has no onTimeout",
		FoundBy: []string{"mobileos.android-datasync-limit"},
	},
	{
		ID: "android-blind-alarm", What: "The Android app sets exact alarms and never looks whether it may",
		FoundBy: []string{"mobileos.android-exact-alarm"},
	},
	{
		ID: "android-silent", What: "The Android app takes push messages and does not declare POST_NOTIFICATIONS",
		FoundBy: []string{"mobileos.android-notifications"},
	},
	{
		ID: "android-no-nearby", What: "The Android app opens a local hotspot without the permission for nearby Wi-Fi devices",
		FoundBy: []string{"mobileos.android-nearby-wifi"},
	},
	{
		ID: "android-no-local-network", What: "The Android app looks for devices in the home network without ACCESS_LOCAL_NETWORK",
		FoundBy: []string{"mobileos.android-local-network"},
	},
	{
		ID: "android-export-untold", What: "A service of the Android app has an intent filter and does not say android:exported",
		FoundBy: []string{"mobileos.android-exported"},
	},
	{
		ID: "android-jar-signature", What: "The Android app is signed by the JAR scheme alone",
		FoundBy: []string{"mobileos.android-signature-scheme"},
	},
	{
		ID: "android-debuggable", What: "The Android app is debuggable",
		FoundBy: []string{"security.app-debuggable"},
	},
	{
		ID: "android-debug-signer", What: "The Android app is signed with the debug key",
		FoundBy: []string{"security.app-test-signature"},
	},
	{
		ID: "android-cleartext", What: "The Android app permits traffic without TLS to all hosts",
		FoundBy: []string{"security.app-cleartext"},
	},
	{
		ID: "android-user-authorities", What: "The Android app trusts authorities that users add",
		FoundBy: []string{"security.app-user-authorities"},
	},
	{
		ID: "android-open-service", What: "A service that sets the temperature is open to all apps on the phone",
		FoundBy: []string{"security.app-exported"},
	},
	{
		ID: "android-lone-pin", What: "The Android app pins one key of the cloud and no spare one",
		FoundBy: []string{"expiry.app-pins"},
	},
	{
		ID: "ios-old-sdk", What: "The iOS app is built with the SDK of iOS 18",
		FoundBy: []string{"mobileos.ios-sdk-deadline"},
	},
	{
		ID: "ios-no-bluetooth-text", What: "The iOS app uses Bluetooth and does not say why",
		FoundBy: []string{"mobileos.ios-bluetooth-usage"},
	},
	{
		ID: "ios-no-local-text", What: "The iOS app looks into the home network and does not say why",
		FoundBy: []string{"mobileos.ios-local-network"},
	},
	{
		ID: "ios-unlisted-service", What: "The iOS app does not list the service by which the thermostat is found",
		FoundBy: []string{"mobileos.ios-local-network"},
	},
	{
		ID: "ios-no-multicast", What: "The iOS app uses multicast without the entitlement",
		FoundBy: []string{"mobileos.ios-multicast-entitlement"},
	},
	{
		ID: "ios-no-wifi-info", What: "The iOS app reads the name of the Wi-Fi network without the entitlement",
		FoundBy: []string{"mobileos.ios-ssid-access"},
	},
	{
		ID: "ios-development", What: "The iOS app is signed for development",
		FoundBy: []string{"security.app-debuggable"},
	},
	{
		ID: "ios-arbitrary-loads", What: "The iOS app may speak without TLS to all hosts",
		FoundBy: []string{"security.app-cleartext"},
	},
	{
		ID: "ios-profile-ends", What: "The iOS app is for the devices of an organisation, and its profile ends half a year after the launch",
		FoundBy: []string{"expiry.provisioning-profile"},
	},
}
