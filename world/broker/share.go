package broker

import "github.com/shakedown-test/shakedown/wire/mqtt"

// subscription is one of a session.
type subscription struct {
	mqtt.Subscription        // as the client made it, with the granted QoS
	share             string // the group of a shared subscription
	pattern           string // the filter without the group
	id                uint32 // subscription identifier; 0: none
	turn              uint64 // when a shared subscription last had its turn
}

// member is a session in a group that shares a subscription.
type member struct {
	session *session
	sub     *subscription
}

// before says which of two members is next: one that is connected, then who waits longest, then who came first.
func (m member) before(other member) bool {
	if here, there := m.session.conn != nil, other.session.conn != nil; here != there {
		return here
	}
	if m.sub.turn != other.sub.turn {
		return m.sub.turn < other.sub.turn
	}
	return m.session.serial < other.session.serial
}
