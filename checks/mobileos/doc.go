// Package mobileos holds the checks of one risk: phone OS upgrades. The next phone OS asks for a permission, stops a background
// service or drops a bond, and the app loses the device.
package mobileos

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "mobileos",
	Title: "Phone OS upgrades",
	Plain: "The next phone OS asks for a permission, stops a background service or drops a bond, and the app loses the device.",
	Checks: []*check.Check{
		AndroidTargetDeadline,
		AndroidBluetoothPermissions,
		AndroidScanLocation,
		AndroidCleartext,
		AndroidServiceType,
		AndroidDatasyncLimit,
		AndroidExactAlarm,
		AndroidNotifications,
		AndroidNearbyWifi,
		AndroidLocalNetwork,
		AndroidExported,
		AndroidSignatureScheme,
		IosSdkDeadline,
		IosBluetoothUsage,
		IosLocalNetwork,
		IosMulticastEntitlement,
		IosSsidAccess,
	},
}
