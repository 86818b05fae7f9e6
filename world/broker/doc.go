// Package broker is the MQTT stand-in: a correct MQTT 3.1.1 and 5.0 broker that a check can make misbehave.
//
// It is handed connections, lives in device time and writes every packet to the evidence log. What a check wants to be otherwise it
// says with rules ([Broker.When]): they see each packet before the broker handles or sends it, and drop, delay, repeat, replace or
// answer it. Without rules the broker does what the standards say.
//
// Three things keep it upright against a hostile part. A connection writes from its own bounded queue, so that a peer that does not
// read is cut and never waited for. Packets, queues, subscriptions, sessions and retained messages have limits. The log keeps
// whole payloads only up to a total, and their beginnings after that.
package broker
