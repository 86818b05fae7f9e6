package profile

import (
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Where figures are from.
const (
	wifiLatency = "C. Pei et al., WiFi can be the weakest link of round trip network latency in the wild, INFOCOM 2016: more than half of the packets have more than 20 ms of round trip on the WiFi hop, a tenth more than 100 ms"
	industrial  = "A. Willig et al., Measurements of a wireless link in an industrial environment, IEEE Trans. Ind. Electronics 49(6), 2002: a Gilbert-Elliott model is a useful tool for such links; the parameters are our choice"
	lowestWifi  = "IEEE 802.11, DSSS physical layer: 1 Mbit/s is the lowest rate"
)

var crowdedWifi = Profile{
	Name: "crowded-wifi", Title: "Wi-Fi in a crowded block of flats", Link: Access,
	Models: "Neighbours share the channel: retries become jitter, their air time a lower rate, collisions short bursts of loss; now and then a " +
		"neighbour's download takes nearly all of it. Not modelled: roaming, association, power saving of the station.",
	Figures: []Figure{
		{"latency one way, mostly", "10 ms ± 8 ms", wifiLatency},
		{"latency one way, busy", "50 ms ± 30 ms", wifiLatency},
		{"rate", "10 Mbit/s, busy 2 Mbit/s", OurChoice},
		{"queue", "256 KiB (bufferbloat)", OurChoice},
		{"loss in bursts", "0.5 %, 3 frames; busy 3 %, 5 frames", OurChoice},
		{"busy", "4 s in every 20 s", OurChoice},
	},
	Schedule: Schedule{Loop: true, Steps: []Step{
		{For: 16 * time.Second, Up: sharedAir(10, 8, 10e6, 0.0024), Down: sharedAir(10, 8, 10e6, 0.0024)},
		{What: "a neighbour takes the channel", For: 4 * time.Second, Up: sharedAir(50, 30, 2e6, 0.009), Down: sharedAir(50, 30, 2e6, 0.009)},
	}},
}

// sharedAir is a Wi-Fi channel with others on it.
func sharedAir(delay, jitter int, rate, worsen float64) frame.Conditions {
	heal := 1.0 / 3
	if worsen > 0.005 {
		heal = 1.0 / 5
	}
	return frame.Conditions{
		Latency: latency(delay, jitter, 0.7), Rate: frame.Rate{BitsPerSecond: rate, Queue: 256 << 10},
		Bursts: frame.GilbertElliott{Worsen: worsen, Recover: heal, Bad: 0.7},
	}
}

var metalHall = Profile{
	Name: "metal-hall", Title: "Industrial hall full of metal", Link: Access,
	Models: "Reflections and machines: long bursts of loss between good times, and short silences when something large passes between the " +
		"stations. Not modelled: which rate the radio chooses, and whether a packet is corrupted rather than lost.",
	Figures: []Figure{
		{"loss in bursts", "4.3 %, bad for 10 frames", industrial},
		{"latency one way", "4 ms ± 5 ms", OurChoice},
		{"rate", "5 Mbit/s", OurChoice},
		{"silence", "0.4 s every 15 s", OurChoice},
	},
	Schedule: Schedule{Loop: true, Steps: []Step{
		{For: 14600 * time.Millisecond, Up: hall(0), Down: hall(0)},
		{What: "something passes between the stations", For: 400 * time.Millisecond, Up: hall(1), Down: hall(1)},
	}},
}

func hall(loss float64) frame.Conditions {
	return frame.Conditions{
		Latency: latency(4, 5, 0.5), Rate: frame.Rate{BitsPerSecond: 5e6}, Loss: loss,
		Bursts: frame.GilbertElliott{Worsen: 0.005, Recover: 0.1, Bad: 0.9},
	}
}

var edgeOfRange = Profile{
	Name: "edge-of-range", Title: "At the edge of the Wi-Fi's range", Link: Access,
	Models: "The lowest rate, many retries, and fading: the loss rises and falls. Not modelled: the loss of the association, which Outage does.",
	Figures: []Figure{
		{"rate", "1 Mbit/s", lowestWifi},
		{"latency one way", "15 ms ± 20 ms", OurChoice},
		{"loss", "from 3 % to 20 % and back, within 40 s", OurChoice},
	},
	Schedule: Schedule{Loop: true, Steps: []Step{
		{For: 15 * time.Second, Up: fading(0.03), Down: fading(0.03)},
		{What: "the signal fades", For: 10 * time.Second, Ramp: true, Up: fading(0.2), Down: fading(0.2)},
		{For: 5 * time.Second, Up: fading(0.2), Down: fading(0.2)},
		{For: 10 * time.Second, Ramp: true, Up: fading(0.03), Down: fading(0.03)},
	}},
}

func fading(loss float64) frame.Conditions {
	return frame.Conditions{Latency: latency(15, 20, 0.8), Rate: frame.Rate{BitsPerSecond: 1e6}, Loss: loss}
}

// latency is a delay and a deviation in ms.
func latency(delay, jitter int, correlation float64) frame.Latency {
	return frame.Latency{Delay: time.Duration(delay) * time.Millisecond, Jitter: time.Duration(jitter) * time.Millisecond, Correlation: correlation}
}
