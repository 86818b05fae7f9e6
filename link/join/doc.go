// Package join brings what is no part of this process into the in-process internet (link/internet): it moves Ethernet frames between
// the near end of a link and
//
//   - a Linux program in a network namespace of its own, with a TAP: Place;
//   - a virtual machine, over the Unix socket of QEMU's "-netdev stream": Machine;
//   - a physical device behind a second network interface of this machine: Interface.
//
// # A program
//
// The program runs in user, network, mount and process namespaces that the kernel makes for it, so no root is needed where the kernel
// lets ordinary users have user namespaces; Available says whether it does, and what to do. Its one interface is a TAP whose other side
// is the near end of the link. Its /etc is a private copy on write, with a resolv.conf, a hosts file and an nsswitch.conf for this
// network. It sees the rest of the machine's files, but none of its network, and it cannot set the machine's clock.
//
//	place := join.Place{Link: world.Home().Station("device"), Addresses: []netip.Prefix{world.Home().Address()}, Routers: …}
//	program, err := place.Prepare(cmd) // cmd was made by exec.Command
//	err = cmd.Start()
//	err = program.Enter() // from here on the program runs, and its frames move
//	err = cmd.Wait()
//	program.Close()
//
// What is started is this executable once more, as the first process of the new namespaces. It sets them up, hands the TAP over, starts
// the program and stays until its end. The kernel ends everything in a process namespace with its first process, so nothing outlives it;
// and it ends with us, however we end: the kernel kills it when our thread ends, and it ends by itself when our side of its socket closes.
package join
