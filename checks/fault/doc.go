// Package fault holds the checks of one risk: faults and edge cases. Something fails, as everything does: a link, a broker, a
// message, the power. The product makes it worse, stays away, or does what nobody asked for.
package fault

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "fault",
	Title: "Faults and edge cases",
	Plain: "Something fails, as everything does: a link, a broker, a message, the power. The product makes it worse, stays away, or does what nobody asked for.",
	Checks: []*check.Check{
		ConnectGarbage,
		ConnectNoConnack,
		ConnectServerReference,
		ConnectVersionRefused,
		IntermittentLink,
		ReconnectAcceptClose,
		ReconnectAfterConnack,
		ReconnectAfterConnackReset,
		ReconnectCap,
		ReconnectFirstRetry,
		ReconnectRefusedPort,
		ReconnectShortSessions,
		ReconnectUnauthorised,
		ReconnectUnavailable,
		SessionTakeover,
		TLSAbortLoop,
		TLSAlertLoop,
		TLSStall,
		BadPayload,
		LargeCommand,
		KeepaliveNoPingresp,
		HalfOpenSilent,
		HalfOpenNat,
		BrokerRestart,
		SubackMissing,
		WillRace,
		RetainedCommand,
		DuplicateCommand,
		CommandOrder,
		HTTPRetryAfter,
		HTTPStatus5xx,
		HTTPSlow,
		HTTPKeepaliveStale,
		CloudBrownout,
		ClockJump,
		SNTPBadReply,
		LeapSecond,
	},
}
