// Package share has several processes and machines play one fleet. A desk deals a fleet out to agents; NATS carries what they say. Agents
// are found, and their clocks compared, by plain requests; all that belongs to a run is in two parts of a stream of JetStream, which
// keeps it over a restart of the server: what the desk says to all agents, in order, and what each agent says. Whoever speaks says it again
// until the server has it, and every message of an agent has a number, so that what comes twice counts once.
//
// The subscriber of the fleet is played by the desk itself: when it is lost, so is the run. All times in messages are of the desk's clock.
package share
