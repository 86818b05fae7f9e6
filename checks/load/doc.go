// Package load holds the checks of one risk: load. What works for fifty devices falls over at fifty thousand: at the reconnect
// after an outage, at the morning peak, when a batch is provisioned.
package load

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "load",
	Title: "Load",
	Plain: "What works for fifty devices falls over at fifty thousand: at the reconnect after an outage, at the morning peak, when a batch is provisioned.",
	Checks: []*check.Check{
		ReconnectSpread,
		FloodIn,
		BrokerReconnectHerd,
		BackoffPolicy,
		BrokerLimits,
		FleetLimits,
		ConnectRamp,
		ProvisioningStorm,
		Spike,
		WillFlood,
		RetainedFlood,
		FanOut,
		SubscribeGrowth,
		HubChildren,
		BacklogDrains,
		RateLimitAnswers,
		RateLimitStatus,
		SessionChurn,
		DuplicateIDs,
		TopicExplosion,
		SlowWildcard,
		InflightWindow,
		BigAmongSmall,
		SlowConsumer,
		HalfOpen,
		KeepAliveHerd,
		TLSStorm,
		Capacity,
		Soak,
	},
}
