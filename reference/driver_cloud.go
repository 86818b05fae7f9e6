package reference

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/reference/cloud"
)

// service drives the reference cloud, which runs inside this process.
type service struct {
	env   driver.Env
	cloud *cloud.Cloud // nil: not running
}

// Start starts the cloud and its API on the ports that they were given.
func (s *service) Start(context.Context) error {
	if s.cloud != nil {
		return nil
	}
	cfg := cloud.Config{
		Clock: s.env.Clock, State: filepath.Join(s.env.State, "cloud.json"), Next: strings.HasPrefix(s.env.Variant.Firmware, "1."),
		Out:   func(line string) { s.note(evidence.Console, line) },
		Flaws: map[string]bool{},
	}
	for _, id := range s.env.Defects {
		cfg.Flaws[id] = true
	}
	var err error
	if cfg.TLS, err = s.secure(); err != nil {
		return fmt.Errorf("start %s: %w", s.env.Part.Name, err)
	}
	if cfg.MQTT, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", s.env.Values["listen.port"])); err != nil {
		return fmt.Errorf("start %s: %w", s.env.Part.Name, err)
	}
	if cfg.API, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", cmp.Or(s.env.Values["api.port"], "0"))); err != nil {
		cfg.MQTT.Close()
		return fmt.Errorf("start %s: %w", s.env.Part.Name, err)
	}
	s.note(evidence.Power, "start")
	if s.cloud, err = cloud.Start(cfg); err != nil {
		cfg.MQTT.Close()
		cfg.API.Close()
		return fmt.Errorf("start %s: %w", s.env.Part.Name, err)
	}
	return nil
}

// secure is the TLS of the MQTT endpoint, or nil when it was given no certificate.
func (s *service) secure() (*tls.Config, error) {
	v := s.env.Values
	if v["server.cert"] == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(v["server.cert"], v["server.key"])
	if err != nil {
		return nil, fmt.Errorf("read its certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, Time: s.env.Clock.Now}
	if v["clients.ca"] == "" {
		return c, nil
	}
	pem, err := os.ReadFile(v["clients.ca"])
	if err != nil {
		return nil, fmt.Errorf("read the authority of its clients: %w", err)
	}
	c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, x509.NewCertPool()
	c.ClientCAs.AppendCertsFromPEM(pem)
	return c, nil
}

// Stop ends the cloud and writes its state.
func (s *service) Stop(context.Context) error {
	if s.cloud == nil {
		return nil
	}
	s.note(evidence.Power, "stop")
	return s.Close()
}

// Close ends the cloud.
func (s *service) Close() error {
	if s.cloud == nil {
		return nil
	}
	c := s.cloud
	s.cloud = nil
	return c.Close()
}

func (s *service) note(kind evidence.Kind, text string) {
	s.env.Log.Add(evidence.Event{Part: s.env.Part.Name, Kind: kind, Text: text})
}
