package cli

import (
	"net"
	"os/exec"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/link/join"
)

// symptom is one thing that this machine has or lacks.
type symptom struct {
	What      string `json:"what"`
	OK        bool   `json:"ok"`
	Seen      string `json:"seen"`
	For       string `json:"for"`           // what needs it
	Fix       string `json:"fix,omitempty"` // the command that gets it
	Essential bool   `json:"essential"`     // nothing works without
}

// examine looks at everything.
func (a *app) examine() []symptom {
	out := []symptom{loopback(), namespaces(), a.refused(), openFiles(), a.date(), a.terminal()}
	for _, p := range []struct{ name, forWhat, get string }{
		{"mosquitto", "the example of a real broker", "sudo apt-get install mosquitto"},
		{"mosquitto_sub", "the examples of mosquitto's clients", "sudo apt-get install mosquitto-clients"},
		{"python3", "the example of paho", "sudo apt-get install python3-paho-mqtt"},
		{"node", "the examples of MQTT.js and aedes", "sudo apt-get install nodejs"},
		{"npm", "the examples of MQTT.js and aedes", "sudo apt-get install npm"},
		{"chromium", "the tests that open the report in a browser", "sudo apt-get install chromium"},
		{"qemu-system-x86_64", "the test with a virtual machine in a network", "sudo apt-get install qemu-system-x86"},
	} {
		out = append(out, program(p.name, p.forWhat, p.get))
	}
	return out
}

func program(name, forWhat, get string) symptom {
	s := symptom{What: name, For: forWhat + "; no check of your product needs it", Fix: get}
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			s.OK, s.Seen = true, path
			return s
		}
	}
	s.Seen = "not found"
	return s
}

func loopback() symptom {
	s := symptom{What: "loopback network", For: "everything", Essential: true, OK: true, Seen: "127.0.0.1 takes connections"}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.OK, s.Seen = false, err.Error()
		return s
	}
	l.Close()
	return s
}

// namespaces looks for the right to give programs a network of their own.
func namespaces() symptom {
	s := symptom{
		What: "network namespaces", OK: true, Seen: "programs can be given a network of their own",
		For: "processes with network: world in the product file, and shakedown net",
	}
	if err := join.Available(); err != nil {
		s.OK = false
		s.Seen, s.Fix, _ = strings.Cut(err.Error(), "\nhint: ")
	}
	return s
}

// refused looks for the right to see connection attempts on closed ports.
func (a *app) refused() symptom {
	var need []string
	for _, r := range a.risks {
		for _, c := range r.Checks {
			for _, row := range c.Rows {
				if strings.HasSuffix(row, "refused-port") {
					need = append(need, c.ID)
				}
			}
		}
	}
	s := symptom{
		What: "watching closed ports", OK: link.CanWatchRefused(), Seen: "this process may open raw sockets",
		For: "seeing when a process or an external device tries a port that refuses: " + strings.Join(need, ", "),
	}
	if !s.OK {
		s.Seen = "this process may not open raw sockets (CAP_NET_RAW)"
		s.Fix = `sudo setcap cap_net_raw+ep "$(command -v shakedown)"`
	}
	return s
}

// date looks whether the clock of this machine can be right: certificates are issued by it.
func (a *app) date() symptom {
	now := a.Now()
	return symptom{
		What: "date", OK: now.Year() >= 2025 && now.Year() < 2100, Seen: now.Format(time.RFC1123),
		For: "certificates, and whether an accepted deviation has expired", Fix: "sudo timedatectl set-ntp true",
	}
}

func (a *app) terminal() symptom {
	s := symptom{What: "terminal", OK: a.InTerminal && a.ErrTerminal, Seen: "a person can be asked", For: "devices that a person drives (driver: human), and live progress"}
	if !s.OK {
		s.Seen = "there is none, so nobody can be asked"
	}
	return s
}
