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

	mu         sync.RWMutex
	mtu        uint32
	mac        tcpip.LinkAddress
	dispatcher stack.NetworkDispatcher
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

// Wait implements stack.NetworkLinkEndpoint: there is no goroutine to wait for.
func (n *nic) Wait() {}

// Close implements stack.NetworkLinkEndpoint.
func (n *nic) Close() {}

// SetOnCloseAction implements stack.NetworkLinkEndpoint.
func (n *nic) SetOnCloseAction(func()) {}
