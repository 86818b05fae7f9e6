//go:build !linux

package main

import "errors"

var errLinux = errors.New("TAPs are of Linux")

func latencyTAP() ([]figure, error) { return nil, errLinux }
func packetsTAP() ([]figure, error) { return nil, errLinux }
