// Paho is a fleet as a Go programmer would write it: a client of Eclipse Paho for each device and a goroutine that publishes at its pace,
// from a phase of its own, without waiting for the last answer.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func main() {
	to := flag.String("to", "127.0.0.1:1883", "broker")
	conns := flag.Int("conns", 1000, "devices")
	rate := flag.Int("rate", 0, "messages a second of all; 0: none")
	qos := flag.Int("qos", 0, "QoS")
	length := flag.Duration("for", time.Minute, "how long")
	flag.Parse()
	devices := make([]mqtt.Client, *conns)
	for n := range devices {
		devices[n] = mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + *to).SetClientID(fmt.Sprintf("device-%06d", n)).
			SetKeepAlive(time.Minute).SetAutoReconnect(false))
		if t := devices[n].Connect(); t.Wait() && t.Error() != nil {
			fmt.Fprintln(os.Stderr, "connect:", t.Error())
			os.Exit(1)
		}
	}
	for n, d := range devices {
		if *rate > 0 {
			go publish(d, n, time.Second*time.Duration(*conns)/time.Duration(*rate), *conns, byte(*qos))
		}
	}
	time.Sleep(*length)
}

func publish(d mqtt.Client, n int, every time.Duration, conns int, qos byte) {
	time.Sleep(every * time.Duration(n) / time.Duration(conns))
	topic, fill := fmt.Sprintf("d/%06d/t", n), bytes.Repeat([]byte("x"), 128-33)
	tick := time.NewTicker(every)
	for seq := 0; ; seq++ {
		d.Publish(topic, qos, false, append(fmt.Appendf(nil, "%06d:%08d:%016d:", n, seq, time.Now().UnixMicro()), fill...))
		<-tick.C
	}
}
