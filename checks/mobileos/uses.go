package mobileos

import (
	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/firmware/app"
)

// scans reports whether the code looks for Bluetooth devices.
func scans(c *app.Code) bool {
	return c != nil && (c.Calls("Landroid/bluetooth/le/BluetoothLeScanner;", "startScan") || c.Calls("Landroid/bluetooth/BluetoothAdapter;", "startLeScan", "startDiscovery"))
}

// connects reports whether the code connects to Bluetooth devices.
func connects(c *app.Code) bool {
	return c != nil && c.Calls("Landroid/bluetooth/BluetoothDevice;", "connectGatt", "createBond", "createRfcommSocketToServiceRecord", "createL2capChannel", "createInsecureL2capChannel")
}

// wantsBluetooth reports whether the manifest asks for Bluetooth, in the old or the new way. Libraries that only could use it do not.
func wantsBluetooth(a *apps.Android) bool {
	for _, p := range []string{"BLUETOOTH", "BLUETOOTH_ADMIN", "BLUETOOTH_SCAN", "BLUETOOTH_CONNECT", "BLUETOOTH_ADVERTISE"} {
		if a.Declares(p) {
			return true
		}
	}
	return false
}

// asks reports whether the code asks the user for permissions at all; where there is no code that can be read it is taken to.
func asks(c *app.Code) bool {
	if c == nil {
		return true
	}
	for m := range c.Methods {
		if m.Name == "requestPermissions" {
			return true
		}
	}
	return false
}
