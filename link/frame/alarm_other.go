//go:build !linux

package frame

// alarm wakes a goroutine at a wall time, as exactly as a Go timer does. Set, ring and close are called with the way's mutex held, wait
// without it.
type alarm struct{ ticker }

func (a *alarm) close() {}
