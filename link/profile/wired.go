package profile

import (
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Where figures are from.
const (
	orbit    = "RFC 2488, section 2: 239.6 to 279.0 ms from ground to ground over a geostationary satellite, 558 ms and more for a round trip"
	dslRate  = "sitespeed.io throttle, profile dsl: 384 kbit/s up, 1500 kbit/s down, 14 ms round trip"
	dslTrain = "ADTRAN 1181413L2 manual: HDSL transceivers train in 25 to 30 s"
	hotelNet = "HotelChatter, How fast is your hotel Internet connection?, 2013: about 1 Mbit/s for each room where it is free"
)

var geoSatellite = Profile{
	Name: "geo-satellite", Title: "Geostationary satellite", Link: Uplink,
	Models: "The way to the sky and back, a modem's queue and a slow way up. Not modelled: proxies that speed up TCP, and rain.",
	Figures: []Figure{
		{"latency one way", "290 ms ± 10 ms", orbit},
		{"rate", "1 Mbit/s up, 10 Mbit/s down", OurChoice},
		{"queue", "500 ms", OurChoice},
		{"loss", "0.1 %", OurChoice},
	},
	Schedule: Schedule{Steps: []Step{{
		Up:   frame.Conditions{Latency: latency(290, 10, 0.9), Rate: frame.Rate{BitsPerSecond: 1e6, Queue: 64 << 10}, Loss: 0.001},
		Down: frame.Conditions{Latency: latency(290, 10, 0.9), Rate: frame.Rate{BitsPerSecond: 10e6, Queue: 640 << 10}, Loss: 0.001},
	}}},
}

var flappingDSL = Profile{
	Name: "flapping-dsl", Title: "DSL line that loses sync", Link: Uplink,
	Models: "A bad line: every minute and a half it goes down and trains anew. The network at home stays up. Not modelled: another address afterwards.",
	Figures: []Figure{
		{"latency one way", "7 ms ± 1 ms", dslRate},
		{"rate", "384 kbit/s up, 1.5 Mbit/s down", dslRate},
		{"down", "25 s", dslTrain},
		{"up", "65 s", OurChoice},
	},
	Schedule: Schedule{Loop: true, Steps: []Step{
		{What: "the line has sync", For: 65 * time.Second, Up: copper(384e3), Down: copper(1.5e6)},
		{What: "the line loses sync", For: 25 * time.Second, Up: copper(384e3), Down: copper(1.5e6), Off: true},
	}},
}

func copper(rate float64) frame.Conditions {
	return frame.Conditions{Latency: latency(7, 1, 0), Rate: frame.Rate{BitsPerSecond: rate, Queue: 64 << 10}}
}

var hotelPortal = Profile{
	Name: "hotel-portal", Title: "Hotel network", Link: Uplink,
	Models: "A slow share of a crowded line with a long queue, behind a captive portal. Not modelled: a portal that shuts again later.",
	Figures: []Figure{
		{"rate", "1 Mbit/s each way", hotelNet},
		{"latency one way", "30 ms ± 15 ms", OurChoice},
		{"queue", "1 s (bufferbloat)", OurChoice},
		{"loss", "0.5 %", OurChoice},
		{"time until somebody accepts the terms", "30 s", OurChoice},
	},
	Portal:   &Portal{Answer: Redirects, Direct: Refused, Lie: 10 * time.Second, Opens: 30 * time.Second},
	Schedule: Schedule{Steps: []Step{{Up: hotelRoom, Down: hotelRoom}}},
}

var hotelRoom = frame.Conditions{Latency: latency(30, 15, 0.7), Rate: frame.Rate{BitsPerSecond: 1e6, Queue: 125_000}, Loss: 0.005}

var corporateProxy = Profile{
	Name: "corporate-proxy", Title: "Company network", Link: Uplink,
	Models: "A good line with inspection on the way, which adds time, and a proxy as the only way out. Not modelled: passwords of the proxy, ports " +
		"that it does not connect to, and an authority of its own in place of the server's.",
	Figures: []Figure{
		{"latency one way", "15 ms ± 5 ms", OurChoice},
		{"rate", "20 Mbit/s each way", OurChoice},
		{"loss", "none", OurChoice},
	},
	Proxy:    &Proxy{Direct: Refused},
	Schedule: Schedule{Steps: []Step{{Up: company, Down: company}}},
}

var company = frame.Conditions{Latency: latency(15, 5, 0.5), Rate: frame.Rate{BitsPerSecond: 20e6}}

var all = []Profile{
	crowdedWifi, metalHall, edgeOfRange, lteM, nbIoT, handover3G, geoSatellite, flappingDSL, hotelPortal, corporateProxy,
}
