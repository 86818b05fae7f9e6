package link

import "golang.org/x/sys/unix"

// pipe holds bytes on their way between two sockets in the kernel, where they are moved and not copied. It is not safe for concurrent use.
type pipe struct {
	read, write int // descriptors, which never block
	bytes       int
}

// capacity is what a pipe is asked to hold. The kernel may give less.
const capacity = 1 << 20

func openPipe() (*pipe, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, capacity) // a smaller one does as well
	return &pipe{read: fds[0], write: fds[1]}, nil
}

func (p *pipe) close() {
	unix.Close(p.read)
	unix.Close(p.write)
}

// fill takes what there is in a socket; zero bytes are its end. EAGAIN says that there is nothing, or that the pipe is full.
func (p *pipe) fill(socket int) (int, error) {
	n, err := splice(socket, p.write, capacity)
	p.bytes += n
	return n, err
}

// drain gives a socket what it takes.
func (p *pipe) drain(socket int) (int, error) {
	n, err := splice(p.read, socket, p.bytes)
	p.bytes -= n
	return n, err
}

// take copies what fits into a chunk out of the pipe, which is not empty.
func (p *pipe) take() (*chunk, error) {
	c := newChunk()
	n, err := unix.Read(p.read, c.bytes[:])
	c.to = max(n, 0)
	p.bytes -= c.to
	return c, err
}

// holds says whether a socket has something to read: bytes, its end, or an error.
func holds(socket int) bool {
	_, _, err := unix.Recvfrom(socket, make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err != unix.EAGAIN
}

func splice(from, to, most int) (int, error) {
	for {
		n, err := unix.Splice(from, nil, to, nil, most, unix.SPLICE_F_NONBLOCK)
		if err != unix.EINTR {
			return max(int(n), 0), err
		}
	}
}
