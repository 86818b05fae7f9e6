package broker

import (
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// Drop makes a packet lost: one from the part is as if it had not come, except that keep-alive counts it; one to the part is not
// sent, while the broker believes it was.
func Drop() Action { return func(ex *Exchange) { ex.Drop() } }

// Delay sends a packet to the part d of device time later. Packets after it overtake it.
func Delay(d time.Duration) Action { return func(ex *Exchange) { ex.Delay(d) } }

// DelayInOrder sends a packet to the part d of device time later, and holds up all packets after it.
func DelayInOrder(d time.Duration) Action { return func(ex *Exchange) { ex.DelayInOrder(d) } }

// Repeat sends a packet to the part n more times, gap of device time apart. A PUBLISH with QoS 1 or 2 is repeated with DUP and the
// same id.
func Repeat(n int, gap time.Duration) Action { return func(ex *Exchange) { ex.Repeat(n, gap) } }

// Answer sends ps in place of the handling of a packet from the part. An acknowledgement with ID 0 gets the packet's. After an answered
// CONNECT the broker keeps no session; it answers pings and no more.
func Answer(ps ...*mqtt.Packet) Action { return func(ex *Exchange) { ex.Answer(ps...) } }

// ThenClose ends the connection with a FIN after the packet was handled or sent.
func ThenClose() Action { return func(ex *Exchange) { ex.ThenClose() } }

// ThenReset ends the connection with a RST after the packet was handled or sent.
func ThenReset() Action { return func(ex *Exchange) { ex.ThenReset() } }

// Then calls f after the packet was handled or sent. F must not wait for the connection.
func Then(f func(*Conn)) Action { return func(ex *Exchange) { ex.Then(f) } }

// Replace sends the bytes that f makes of a packet to the part in its place; none if f returns none.
func Replace(f func(*mqtt.Packet) []byte) Action { return func(ex *Exchange) { ex.Replace(f) } }

// All does several actions to the same packet.
func All(as ...Action) Action {
	return func(ex *Exchange) {
		for _, a := range as {
			a(ex)
		}
	}
}

// Drop is the action of that name.
func (ex *Exchange) Drop() { ex.dropped = true }

// Delay is the action of that name.
func (ex *Exchange) Delay(d time.Duration) { ex.delay, ex.inOrder = d, false }

// DelayInOrder is the action of that name.
func (ex *Exchange) DelayInOrder(d time.Duration) { ex.delay, ex.inOrder = d, true }

// Repeat is the action of that name.
func (ex *Exchange) Repeat(n int, gap time.Duration) { ex.repeats, ex.gap = n, gap }

// Answer is the action of that name.
func (ex *Exchange) Answer(ps ...*mqtt.Packet) {
	ex.answered = true
	for _, p := range ps {
		own := *p
		if own.ID == 0 {
			switch own.Type {
			case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP, mqtt.SUBACK, mqtt.UNSUBACK:
				own.ID = ex.Packet.ID
			}
		}
		ex.answers = append(ex.answers, &own)
	}
}

// ThenClose is the action of that name.
func (ex *Exchange) ThenClose() { ex.end = fin }

// ThenReset is the action of that name.
func (ex *Exchange) ThenReset() { ex.end = rst }

// Then is the action of that name.
func (ex *Exchange) Then(f func(*Conn)) { ex.after = append(ex.after, f) }

// Replace is the action of that name.
func (ex *Exchange) Replace(f func(*mqtt.Packet) []byte) { ex.replace = f }
