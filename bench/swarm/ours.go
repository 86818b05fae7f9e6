//go:build linux

package main

import (
	"errors"
	"os/exec"
	"time"
)

// swarmSide is shakedown swarm.
var swarmSide = side{"shakedown swarm", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	return nil, errors.New("not there yet")
}}
