package profile

import (
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Where figures are from.
const (
	ltemLatency = "Arduino, Cat M1 and NB-IoT tutorial (github.com/arduino/docs-content): Cat-M1 has a latency of 50 to 100 ms; taken as the round trip"
	ltemRate    = "Pycom documentation (docs.pycom.io, class LTE): about 375 kbit/s for Cat-M1, which is half duplex; the peak is 1 Mbit/s (AWS, Implementing LPWAN solutions)"
	nbRate      = "M5Stack, Module NB-IoT (docs.m5stack.com): 62.5 kbit/s up with several tones, 21.25 kbit/s down for Cat NB1"
	nbLatency   = "LTE Cat NB1: 1.6 to 10 s (blog.mbedded.ninja, cellular protocols), taken as the round trip; 837 ms was measured in Glasgow (S. Ugwuanyi et al., Electronics 10, 2021)"
	mobile3G    = "Lighthouse, docs/throttling.md: 150 ms round trip, 1.6 Mbit/s down and 750 kbit/s up, as WebPageTest's Mobile 3G - Fast"
)

var lteM = Profile{
	Name: "lte-m", Title: "LTE-M (Cat-M1)", Link: Uplink,
	Models: "Narrow, half duplex LTE in good coverage. Not modelled: idle mode, eDRX and PSM, and that sending and receiving exclude each other.",
	Figures: []Figure{
		{"latency one way", "40 ms ± 8 ms", ltemLatency},
		{"rate", "375 kbit/s up, 300 kbit/s down", ltemRate},
		{"loss", "0.1 %", OurChoice},
	},
	Schedule: Schedule{Steps: []Step{{
		Up:   frame.Conditions{Latency: latency(40, 8, 0.5), Rate: frame.Rate{BitsPerSecond: 375e3, Queue: 32 << 10}, Loss: 0.001},
		Down: frame.Conditions{Latency: latency(40, 8, 0.5), Rate: frame.Rate{BitsPerSecond: 300e3, Queue: 64 << 10}, Loss: 0.001},
	}}},
}

var nbIoT = Profile{
	Name: "nb-iot", Title: "NB-IoT (Cat NB1)", Link: Uplink,
	Models: "Very slow, and slower still when the network repeats every message because coverage is deep. Not modelled: idle mode, eDRX and PSM.",
	Figures: []Figure{
		{"latency one way", "0.8 s ± 0.15 s", nbLatency},
		{"latency one way in deep coverage", "5 s ± 0.5 s", nbLatency},
		{"rate", "62.5 kbit/s up, 21.25 kbit/s down", nbRate},
		{"rate in deep coverage", "4 kbit/s up, 4 kbit/s down", OurChoice},
		{"loss", "0.5 %", OurChoice},
		{"deep coverage", "30 s in every 120 s", OurChoice},
	},
	Schedule: Schedule{Loop: true, Steps: []Step{
		{For: 90 * time.Second, Up: narrow(800, 150, 62.5e3), Down: narrow(800, 150, 21.25e3)},
		{What: "coverage gets deep: the network repeats everything", For: 30 * time.Second, Up: narrow(5000, 500, 4e3), Down: narrow(5000, 500, 4e3)},
	}},
}

func narrow(delay, jitter int, rate float64) frame.Conditions {
	return frame.Conditions{Latency: latency(delay, jitter, 0.5), Rate: frame.Rate{BitsPerSecond: rate, Queue: 8 << 10}, Loss: 0.005}
}

var handover3G = Profile{
	Name: "3g-handover", Title: "3G on the move", Link: Uplink,
	Models: "Every half minute the cell changes: a short silence, then a slow time as if on an older network, then as before. The address stays. " +
		"Not modelled: a change of address, which World.Readdress does.",
	Figures: []Figure{
		{"latency one way", "75 ms ± 20 ms", mobile3G},
		{"rate", "750 kbit/s up, 1.6 Mbit/s down", mobile3G},
		{"silence at a handover", "1 s", OurChoice},
		{"after it", "300 ms ± 100 ms, 100 kbit/s, for 3 s", OurChoice},
		{"handover", "every 30 s", OurChoice},
	},
	Schedule: Schedule{Loop: true, Steps: []Step{
		{For: 26 * time.Second, Up: cell(75, 20, 750e3, 0), Down: cell(75, 20, 1.6e6, 0)},
		{What: "handover", For: time.Second, Up: cell(75, 20, 750e3, 1), Down: cell(75, 20, 1.6e6, 1)},
		{For: 3 * time.Second, Up: cell(300, 100, 100e3, 0.005), Down: cell(300, 100, 100e3, 0.005)},
	}},
}

func cell(delay, jitter int, rate, loss float64) frame.Conditions {
	return frame.Conditions{Latency: latency(delay, jitter, 0.8), Rate: frame.Rate{BitsPerSecond: rate, Queue: 128 << 10}, Loss: loss}
}
