// Package shakedown is the root of Shakedown, which finds what will break in a connected product after launch, before launch. There
// is no code here: this is the way into the house.
//
// # The idea
//
// A product is parts (device, gateway, cloud, app) joined by links (BLE, IP, MQTT, HTTP). Every part is either real, and under test,
// or a stand-in that Shakedown plays over the real protocol on a real socket. A check makes the world around the real part
// misbehave in one way, records what it sees, and judges it against a stated criterion. A campaign plans checks over the variants of
// the product, runs them, and ends in a verdict with evidence: ready, ready with named risks, not ready, or not enough evidence.
//
// # The house
//
// Folders are the words of the product, two levels deep. Imports run downwards in this list; a test beside this file holds them to it.
//
//	cmd/shakedown  one line of work
//	cli            one file per subcommand; args, environment, streams and exit in one place
//	campaign       which checks can run here and why the others cannot; running them
//	report         text, HTML, JSON, JUnit: reads evidence, writes an io.Writer
//	verdict        outcomes, severity, share of users and coverage become readiness
//	checks         the twelve risks joined, and the registers that checks refer to
//	checks/RISK    the risk in plain words, the list of its checks, one check per file
//	judge          judging that several risks share
//	check          the contract: what a check is and what it is given
//	testbed        the real parts and stand-ins of one run, joined by links
//	world          the stand-ins: broker, endpoint, certificates, names, time, clock
//	link           watching and impairing what passes between parts
//	driver         acting on real parts: a process, a power switch, a person
//	wire           protocols on the wire, safe against hostile input
//	product        the product file: parts, links, variants, declared values
//	evidence       what was recorded, and the run folder on disk
//	reference      the bundled product, with defects that can be planted in it
//
// # The laws
//
// An error means that a check could not be carried out. Whatever was seen, however bad, is a finding. An unknown is never a pass, and
// the worst outcome wins.
//
// A check first collects, then judges: judging is a pure function of recorded facts. A negative needs a positive control. Everything
// done to the world is undone, and the recovery is looked at. A device that neither closes nor answers is deaf, and that is the worst
// it can do.
//
// All time in a run is device time, from one clock that may run faster than the wall. All chance comes from one seed, which is printed
// with every finding together with the command that runs it again.
//
// The bundled reference product has no findings when it is clean, and every defect that can be planted in it is found.
//
// # Where to begin
//
// To write a check, read package check and then one check, such as checks/protocol/connect_happy.go. This starts the next one:
//
//	go run ./checks/new fault.reconnect-backoff "Spreads its reconnects when the broker keeps dropping it"
//
// A team with checks of its own builds its own binary: the risks are a slice, and the command line takes it as an argument.
package shakedown
