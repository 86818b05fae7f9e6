package join

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shakedown-test/shakedown/link/frame"
)

// pump moves frames between a file, of which each read and write is one frame, and the near end of a link until stop, which closes the
// file, after it has taken what waits there when it is to drain it. It takes the file over also when it fails. With extra there are that many bytes before each frame: mend, which is not nil then,
// gets them with what was read, and zeros are written.
func pump(file *os.File, l *frame.Link, extra int, mend func(extra, frame []byte)) (raw syscall.RawConn, stop func(drain bool), err error) {
	if raw, err = file.SyscallConn(); err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("move frames of %s: %w", file.Name(), err)
	}
	var stopped atomic.Bool
	ended := make(chan struct{})
	buffer := make([]byte, longest)
	// take moves one frame up; an error says that there is none.
	take := func(fd uintptr) error {
		n, err := unix.Read(int(fd), buffer)
		if err != nil || n <= extra {
			return err
		}
		f := slices.Clone(buffer[extra:n])
		if extra > 0 {
			mend(buffer[:extra], f)
		}
		l.SendUp(f)
		return nil
	}
	go func() {
		defer close(ended)
		_ = raw.Read(func(fd uintptr) (done bool) {
			for !stopped.Load() {
				switch err := take(fd); {
				case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENETDOWN): // an interface that is down may come up
					return false
				case err != nil && !errors.Is(err, unix.EINTR):
					return true // it is gone with its namespace
				}
			}
			return true
		})
	}()
	before := make([]byte, extra)
	l.Near(func(f []byte) {
		_ = raw.Write(func(fd uintptr) (done bool) {
			for {
				if err := write(int(fd), before, f); !errors.Is(err, unix.EINTR) {
					return true // what there is no room for is lost
				}
			}
		})
	})
	return raw, func(drain bool) {
		l.Near(nil)
		stopped.Store(true)
		_ = file.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
		<-ended
		if drain {
			_ = raw.Control(func(fd uintptr) {
				for n := 0; n < backlog && take(fd) == nil; n++ { // a flood does not go on for ever
				}
			})
		}
		file.Close()
	}, nil
}

// write writes a frame, with what is to be before it.
func write(fd int, before, f []byte) (err error) {
	if len(before) == 0 {
		_, err = unix.Write(fd, f)
	} else {
		_, err = unix.Writev(fd, [][]byte{before, f})
	}
	return err
}

// pumpTAP is pump for a TAP, whose carrier follows that of the link.
func pumpTAP(tap *os.File, l *frame.Link) (stop func(drain bool), err error) {
	raw, end, err := pump(tap, l, 0, nil)
	if err != nil {
		return nil, err
	}
	quiet := l.OnCarrier(func(up bool) {
		state := 0
		if up {
			state = 1
		}
		_ = raw.Control(func(fd uintptr) {
			_ = unix.IoctlSetPointerInt(int(fd), unix.TUNSETCARRIER, state) // kernels before 5.0 cannot show it
		})
	})
	return func(drain bool) {
		quiet()
		end(drain)
	}, nil
}
