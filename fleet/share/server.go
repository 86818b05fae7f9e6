package share

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a NATS server in this process, for agents on this machine.
type Server struct {
	srv    *server.Server
	access Access
	folder string
}

// Serve starts one at a free port of the loopback, with a password that nobody knows, and its storage in a new folder.
func Serve() (*Server, error) {
	dir, err := os.MkdirTemp("", "shakedown-nats-")
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	s := &Server{folder: dir, access: Access{User: "shakedown", Password: rand.Text()}}
	if err := s.start(server.RANDOM_PORT); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *Server) start(port int) error {
	var err error
	s.srv, err = server.NewServer(&server.Options{
		ServerName: "shakedown", Host: "127.0.0.1", Port: port, Username: s.access.User, Password: s.access.Password,
		JetStream: true, StoreDir: s.folder, NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("start NATS: %w", err)
	}
	s.srv.Start()
	if !s.srv.ReadyForConnections(10 * time.Second) {
		s.stop()
		return errors.New("start NATS: it was not ready within 10 s")
	}
	s.access.URL = s.srv.ClientURL()
	return nil
}

func (s *Server) stop() {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
}

// Access is how it is reached.
func (s *Server) Access() Access { return s.access }

// Close stops it and removes its storage.
func (s *Server) Close() error {
	s.stop()
	return os.RemoveAll(s.folder)
}
