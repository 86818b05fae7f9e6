package check

// CountsEffects is nil when the declared effect of a command shows how often that very command was carried out: it names the command
// and shows once per execution. Otherwise it says that the check is not applicable.
func (t *T) CountsEffects() error {
	if err := t.TellsEffects(); err != nil {
		return err
	}
	if t.Device.Part.MQTT.Command.Effect.Repeats {
		return NotApplicable("the declared effect of the command may show more than once, so that twice cannot be told from once")
	}
	return nil
}

// TellsEffects is nil when the declared effect of a command shows which command was carried out. Otherwise it says that the check is
// not applicable.
func (t *T) TellsEffects() error {
	if !t.Device.Telling() {
		return NotApplicable("the declared effect of the command names neither {token} nor {n}, so that it does not show which command was carried out")
	}
	return nil
}
