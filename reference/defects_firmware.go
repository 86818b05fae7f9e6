package reference

// firmwareDefects are those of the firmware image.
var firmwareDefects = []Defect{
	{
		ID: "firmware-damaged", What: "A bit of the firmware image is wrong",
		FoundBy: []string{"security.artefact-readable"},
	},
	{
		ID: "firmware-empty-password", What: "The root account of the firmware has an empty password",
		FoundBy: []string{"security.empty-password"},
	},
}
