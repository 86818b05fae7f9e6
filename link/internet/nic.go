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
	closed     bool
	errors     sync.WaitGroup // ICMP errors on their way to the stack
}

// deliver gives a frame to the stack, if it is meant for it. An ICMP error can be the answer to what the stack is sending just now in this
// very goroutine, with the connection locked that the error is about, so that it is given by another one.
func (n *nic) deliver(frame []byte) {
	if !isICMPError(frame) {
		n.give(frame)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.errors.Go(func() { n.give(frame) })
	}
}

// isICMPError reports whether a frame holds an error message of ICMP or ICMPv6.
func isICMPError(f []byte) bool {
	if len(f) < 14+40+8 && len(f) < 14+20+8 {
		return false
	}
	switch {
	case f[12] == 0x08 && f[13] == 0x00 && f[23] == 1:
		at := 14 + int(f[14]&0xf)*4
		return len(f) > at && f[at] != 0 && f[at] != 8
	case f[12] == 0x86 && f[13] == 0xDD && f[20] == 58:
		return len(f) > 54 && f[54] < 128
	}
	return false
}

// stop waits for errors that are on their way to the stack; none is given any more.
func (n *nic) stop() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.errors.Wait()
}

func (n *nic) give(frame []byte) {
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
