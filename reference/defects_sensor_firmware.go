package reference

// sensorFirmwareDefects are those of the flash image of the room sensor.
var sensorFirmwareDefects = []Defect{
	{ID: "sensor-unsigned", What: "Boot loader and application of the room sensor carry no signature", FoundBy: []string{"security.esp-secure-boot"}},
	{ID: "sensor-signature-broken", What: "The signature of the application of the room sensor does not hold", FoundBy: []string{"security.esp-secure-boot"}},
	{ID: "sensor-nvs-password", What: "The factory leaves the password of its network in the key-value store of the room sensor", FoundBy: []string{"security.esp-nvs-credentials"}},
	{ID: "sensor-nvs-deleted-password", What: "The password of the factory's network was deleted from the key-value store, and is still there", FoundBy: []string{"security.esp-nvs-credentials"}},
	{ID: "sensor-nvs-keys-readable", What: "The key-value store is encrypted, and its keys lie beside it", FoundBy: []string{"security.esp-nvs-credentials"}},
	{ID: "sensor-one-slot", What: "The partition table of the room sensor has one slot for updates", FoundBy: []string{"ota.update-slots"}},
	{ID: "sensor-no-rollback", What: "The boot loader of the room sensor keeps no state of a new image", FoundBy: []string{"ota.update-slots"}},
	{ID: "sensor-app-damaged", What: "A bit of the application of the room sensor is wrong", FoundBy: []string{"ota.image-intact", "security.artefact-readable"}},
	{ID: "sensor-radio-damaged", What: "A bit of the firmware of the radio processor is wrong", FoundBy: []string{"ota.image-intact"}},
	{ID: "sensor-radio-unsigned", What: "The firmware of the radio processor is not signed", FoundBy: []string{"ota.image-signed"}},
	{ID: "sensor-radio-test-key", What: "The firmware of the radio processor is signed with a sample key of MCUboot", FoundBy: []string{"security.test-signing-key"}},
	{ID: "sensor-radio-no-counter", What: "The firmware of the radio processor has no security counter", FoundBy: []string{"ota.downgrade-counter"}},
	{ID: "sensor-no-downgrade-counter", What: "The application of the room sensor has the secure version 0", FoundBy: []string{"ota.downgrade-counter"}},
	{ID: "sensor-radio-debug-open", What: "The factory leaves the debug port of the radio processor open", FoundBy: []string{"security.debug-port"}},
}
