package internet

import (
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// nic is the Ethernet interface of an IP stack: frames out by send, frames in by deliver.
type nic struct {
	send func(frame []byte)

	later    sync.Mutex
	waiting  [][]byte // ICMP messages
	delivers bool     // a goroutine hands them over
	ended    bool
	tasks    sync.WaitGroup

	mu         sync.RWMutex
	mtu        uint32
	mac        tcpip.LinkAddress
	dispatcher stack.NetworkDispatcher
}

// receive gives a frame to the stack, if it is meant for it. An ICMP message comes by a goroutine of its own: the stack takes an error with
// the lock of the socket that it is about, which whoever just sends may hold, and a link hands over in the goroutine of the sender.
func (n *nic) receive(frame []byte) {
	if !isICMP(frame) {
		n.deliver(frame)
		return
	}
	n.later.Lock()
	defer n.later.Unlock()
	if n.ended || len(n.waiting) >= maxWaiting {
		return
	}
	n.waiting = append(n.waiting, frame)
	if !n.delivers {
		n.delivers = true
		n.tasks.Go(n.deliverWaiting)
	}
}

// maxWaiting bounds the ICMP messages that wait for a busy stack.
const maxWaiting = 1024

func (n *nic) deliverWaiting() {
	n.later.Lock()
	defer n.later.Unlock()
	for len(n.waiting) > 0 {
		next := n.waiting[0]
		n.waiting = n.waiting[1:]
		n.later.Unlock()
		n.deliver(next)
		n.later.Lock()
	}
	n.delivers, n.waiting = false, nil
}

// end has no more ICMP messages taken, and waits until none is being handed over.
func (n *nic) end() {
	n.later.Lock()
	n.ended, n.waiting = true, nil
	n.later.Unlock()
	n.tasks.Wait()
}

// isICMP reports whether a frame is an ICMP message over IPv4, or over IPv6 without extension headers.
func isICMP(f []byte) bool {
	if len(f) < header.EthernetMinimumSize+20 || f[12] != 0x08 && f[12] != 0x86 {
		return false
	}
	return f[12] == 0x08 && f[13] == 0x00 && f[23] == 1 || f[12] == 0x86 && f[13] == 0xDD && f[20] == 58
}

// deliver gives a frame to the stack, if it is meant for it.
func (n *nic) deliver(frame []byte) {
	n.mu.RLock()
	to, mac := n.dispatcher, n.mac
	n.mu.RUnlock()
	if to == nil || len(frame) < header.EthernetMinimumSize {
		return
	}
	eth := header.Ethernet(frame)
	kind := tcpip.PacketHost
	switch dst := eth.DestinationAddress(); {
	case dst == header.EthernetBroadcastAddress:
		kind = tcpip.PacketBroadcast
	case header.IsMulticastEthernetAddress(dst):
		kind = tcpip.PacketMulticast
	case dst != mac:
		return
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(frame)})
	defer pkt.DecRef()
	if _, ok := pkt.LinkHeader().Consume(header.EthernetMinimumSize); !ok {
		return
	}
	pkt.PktType = kind
	to.DeliverNetworkPacket(eth.Type(), pkt)
}

// WritePackets implements stack.LinkWriter.
func (n *nic) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	all := list.AsSlice()
	for _, pkt := range all {
		frame := make([]byte, 0, pkt.Size())
		for _, part := range pkt.AsSlices() {
			frame = append(frame, part...)
		}
		n.send(frame)
	}
	return len(all), nil
}

// AddHeader implements stack.NetworkLinkEndpoint.
func (n *nic) AddHeader(pkt *stack.PacketBuffer) {
	header.Ethernet(pkt.LinkHeader().Push(header.EthernetMinimumSize)).Encode(&header.EthernetFields{
		SrcAddr: pkt.EgressRoute.LocalLinkAddress, DstAddr: pkt.EgressRoute.RemoteLinkAddress, Type: pkt.NetworkProtocolNumber,
	})
}

// ParseHeader implements stack.NetworkLinkEndpoint.
func (n *nic) ParseHeader(pkt *stack.PacketBuffer) bool {
	_, ok := pkt.LinkHeader().Consume(header.EthernetMinimumSize)
	return ok
}

// Attach implements stack.NetworkLinkEndpoint.
func (n *nic) Attach(d stack.NetworkDispatcher) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dispatcher = d
}

// IsAttached implements stack.NetworkLinkEndpoint.
func (n *nic) IsAttached() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.dispatcher != nil
}

// MTU implements stack.NetworkLinkEndpoint.
func (n *nic) MTU() uint32 {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.mtu
}

// SetMTU implements stack.NetworkLinkEndpoint.
func (n *nic) SetMTU(mtu uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mtu = mtu
}

// LinkAddress implements stack.NetworkLinkEndpoint.
func (n *nic) LinkAddress() tcpip.LinkAddress {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.mac
}

// SetLinkAddress implements stack.NetworkLinkEndpoint.
func (n *nic) SetLinkAddress(mac tcpip.LinkAddress) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mac = mac
}

// MaxHeaderLength implements stack.NetworkLinkEndpoint.
func (n *nic) MaxHeaderLength() uint16 { return header.EthernetMinimumSize }

// Capabilities implements stack.NetworkLinkEndpoint. Checksums are neither left out nor taken on trust: a corrupted frame must be seen.
func (n *nic) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityResolutionRequired
}

// ARPHardwareType implements stack.NetworkLinkEndpoint.
func (n *nic) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareEther }

// Wait implements stack.NetworkLinkEndpoint: end waits.
func (n *nic) Wait() {}

// Close implements stack.NetworkLinkEndpoint.
func (n *nic) Close() {}

// SetOnCloseAction implements stack.NetworkLinkEndpoint.
func (n *nic) SetOnCloseAction(func()) {}
