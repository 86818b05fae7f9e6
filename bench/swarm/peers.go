//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

var errNotInstalled = errors.New("it is NOT INSTALLED; " + howPeers)

const howPeers = "bench/swarm/peers.sh installs it"

// cache is the folder into which peers.sh installs.
func cache() string {
	if at := os.Getenv("SHAKEDOWN_BENCH"); at != "" {
		return at
	}
	at, err := os.UserCacheDir()
	if err != nil {
		return "shakedown-bench"
	}
	return filepath.Join(at, "shakedown-bench")
}

// program finds one that is installed, or that peers.sh has put into the cache.
func program(in string) (string, error) {
	if at, err := exec.LookPath(filepath.Base(in)); err == nil {
		return at, nil
	}
	at := filepath.Join(cache(), in)
	if _, err := os.Stat(at); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Base(in), errNotInstalled)
	}
	return at, nil
}

// paho is one client of Eclipse Paho, and some goroutines, for each device.
var paho = side{"paho (Go)", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	p, err := program("bin/paho")
	if err != nil {
		return nil, err
	}
	return exec.Command(p, "-to", e.addr, "-conns", fmt.Sprint(a.conns), "-rate", fmt.Sprint(a.rate), "-qos", fmt.Sprint(a.qos), "-for", length.String()), nil
}}

// mqttjs is one client of MQTT.js for each device.
var mqttjs = side{"MQTT.js", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	script := filepath.Join(cache(), "mqttjs", "fleet.js")
	if _, err := os.Stat(script); err != nil {
		return nil, fmt.Errorf("MQTT.js: %w", errNotInstalled)
	}
	return exec.Command("node", script, e.addr, fmt.Sprint(a.conns), fmt.Sprint(a.rate), fmt.Sprint(a.qos), fmt.Sprint(length.Seconds())), nil
}}

// stresser publishes as fast as it can: it knows no pace.
var stresser = side{"mqtt-stresser (no pace)", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	p, err := program("bin/mqtt-stresser")
	if err != nil {
		return nil, err
	}
	return exec.Command(p, "-broker", "tcp://"+e.addr, "-num-clients", fmt.Sprint(a.conns), "-num-messages", fmt.Sprint(a.rate*int(length.Seconds())/a.conns),
		"-publisher-qos", fmt.Sprint(a.qos), "-constant-payload", strings.Repeat("x", payloadSize), "-timeout", length.String()), nil
}}

// mosquittoPub is one client that sends the lines it is given; it cannot be more than one device.
var mosquittoPub = side{"mosquitto_pub (one connection)", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	p, err := program("mosquitto/usr/bin/mosquitto_pub")
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(e.addr, ":")
	c := exec.Command(p, "-h", host, "-p", port, "-t", "d/000000/t", "-q", fmt.Sprint(a.qos), "-l")
	lines, feed := io.Pipe()
	c.Stdin = lines
	go func() {
		line, seq := append(body(0), '\n'), 0
		for start := time.Now(); time.Since(start) < length; time.Sleep(time.Millisecond) {
			for ; seq < int(time.Since(start).Seconds()*float64(a.rate)); seq++ {
				patch(line, seq, time.Now())
				if _, err := feed.Write(line); err != nil {
					return
				}
			}
		}
		feed.Close()
	}()
	return c, nil
}}

// vegeta has an open model.
var vegeta = side{"vegeta", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	p, err := program("bin/vegeta")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-swarm-vegeta-")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "body"), body(0), 0o600); err != nil {
		return nil, err
	}
	var targets strings.Builder
	for n := range a.conns {
		fmt.Fprintf(&targets, "POST http://%s/d/%06d/t\nContent-Type: application/json\n@%s/body\n\n", e.addr, n, dir)
	}
	c := exec.Command(p, "attack", "-rate", fmt.Sprintf("%d/1s", a.rate), "-duration", length.String(), "-connections", fmt.Sprint(a.conns), "-output", os.DevNull)
	c.Stdin = strings.NewReader(targets.String())
	return c, nil
}}

// wrk has a closed model: each connection sends as soon as it has an answer.
var wrk = side{"wrk (closed model)", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	p, err := program("wrk/usr/bin/wrk")
	if err != nil {
		return nil, err
	}
	script, err := os.CreateTemp("", "bench-swarm-*.lua")
	if err != nil {
		return nil, err
	}
	defer script.Close()
	if _, err := fmt.Fprintf(script, "wrk.method = %q\nwrk.body = %q\n", "POST", body(0)); err != nil {
		return nil, err
	}
	c := exec.Command(p, "-t1", "-c"+fmt.Sprint(min(a.conns, 100)), fmt.Sprintf("-d%ds", int(length.Seconds())), "-s", script.Name(), "http://"+e.addr+"/d/000000/t")
	c.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(cache(), "wrk/usr/lib/x86_64-linux-gnu"))
	return c, nil
}}

// coapPeer is the client of go-coap, in a process of this program.
var coapPeer = side{"go-coap", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	return command("go-coap", setup{To: e.addr, Conns: a.conns, Rate: a.rate, For: length})
}}
