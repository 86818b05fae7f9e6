package reference

// firmwareDefects are those of the firmware image.
var firmwareDefects = []Defect{
	{
		ID: "firmware-empty-password", What: "The root account of the firmware has an empty password",
		FoundBy: []string{"security.empty-password"},
	},
}
