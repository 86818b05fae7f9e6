// Package profile has networks as products meet them, as data: how a link is, and how that changes over time. Each figure has its source,
// or says that it is our choice.
//
// What happens on the air is modelled as what it does to frames: interference as bursts of loss, retries as jitter, a shared channel as a
// lower rate, a lost signal as silence. Nothing of a radio itself is simulated: no signal strength, no association, no power saving, and
// nothing that depends on what the part sends, such as the time to leave idle mode.
//
//	p, err := profile.Named("nb-iot")
//	undo := p.Apply(t.World.Home().Uplink, t.Clock)
package profile
