//go:build !linux

package link

import "errors"

// pipe moves bytes between sockets in the kernel, which this system cannot do.
type pipe struct{ bytes int }

func openPipe() (*pipe, error) { return nil, errors.ErrUnsupported }

func (*pipe) close()                 {}
func (*pipe) fill(int) (int, error)  { return 0, errors.ErrUnsupported }
func (*pipe) drain(int) (int, error) { return 0, errors.ErrUnsupported }
func (*pipe) take() (*chunk, error)  { return nil, errors.ErrUnsupported }

func holds(int) bool { return false }
