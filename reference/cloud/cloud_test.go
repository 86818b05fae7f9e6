package cloud_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/reference/app"
	"github.com/shakedown-test/shakedown/reference/cloud"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a cloud with an app and what is needed to be its devices.
type world struct {
	t     *testing.T
	clock *clock.Clock
	mqtt  string
	base  string
	http  *http.Client
	close func() error
}

func start(t *testing.T, change func(*cloud.Config)) *world {
	t.Helper()
	clk := clock.New(10)
	cfg := cloud.Config{Clock: clk, MQTT: listen(t), API: listen(t), Out: func(string) {}}
	if change != nil {
		change(&cfg)
	}
	c, err := cloud.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: clk, mqtt: cfg.MQTT.Addr().String(), base: "http://" + cfg.API.Addr().String(), close: c.Close}
	w.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(func() { _ = w.close() })
	return w
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *world) device(id, password string, secure *tls.Config) (*client.Conn, byte) {
	w.t.Helper()
	user := id
	if password == "" {
		user = ""
	}
	c, err := client.Dial(w.t.Context(), client.Options{
		Addr: w.mqtt, TLS: secure, Version: mqtt.V5, ClientID: id, User: user, Pass: password, Clean: true,
		Clock: w.clock, Log: evidence.NewLog(w.clock.Now, nil, false),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	ack, err := c.Connect(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return c, ack.Code
}

func (w *world) app(user, password string) (*app.App, error) {
	a := &app.App{Base: w.base, HTTP: w.http}
	return a, a.Login(w.t.Context(), user, password)
}

func TestFromDeviceToAppAndBack(t *testing.T) {
	w, ctx := start(t, nil), t.Context()
	dev, code := w.device("thermostat-a", "secret-of-thermostat-a", nil)
	if code != 0 {
		t.Fatalf("the device was refused with 0x%02X", code)
	}
	if _, err := dev.Subscribe(ctx, mqtt.Subscription{Filter: "thermostat/thermostat-a/command", QoS: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := dev.Publish(ctx, mqtt.Packet{Topic: "thermostat/thermostat-a/telemetry", QoS: 1, Payload: []byte(`{"tenths":215}`)}); err != nil {
		t.Fatal(err)
	}
	alice, err := w.app("alice", "alice's password")
	if err != nil {
		t.Fatal(err)
	}
	var list []app.Device
	for range 100 { // the consumer keeps it soon, not at once
		if list, err = alice.Devices(ctx); err != nil || len(list) == 1 && len(list[0].State) > 0 {
			break
		}
		_ = w.clock.Sleep(ctx, 100*time.Millisecond)
	}
	if err != nil || len(list) != 1 || string(list[0].State["telemetry"]) != `{"tenths":215}` {
		t.Fatalf("devices of alice: %+v, %v", list, err)
	}
	if err := alice.Command(ctx, "thermostat-a", map[string]int{"set": 200}); err != nil {
		t.Fatal(err)
	}
	if got, err := dev.AwaitMessages(ctx, 20*time.Second, 1); err != nil || !json.Valid(got[0].Payload) {
		t.Errorf("command at the device: %v, %v", got, err)
	}
}

func TestUsersAreKeptApart(t *testing.T) {
	w, ctx := start(t, nil), t.Context()
	if _, err := w.app("alice", "wrong"); !errors.Is(err, app.ErrLogin) {
		t.Errorf("login with a wrong password: %v", err)
	}
	if _, err := w.app("thermostat-a", "secret-of-thermostat-a"); !errors.Is(err, app.ErrLogin) {
		t.Errorf("login of a device as a user: %v", err)
	}
	stranger := &app.App{Base: w.base, HTTP: w.http}
	if _, err := stranger.Devices(ctx); !errors.Is(err, app.ErrLogin) {
		t.Errorf("devices without a login: %v", err)
	}
	bob, err := w.app("bob", "bob's password")
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.Command(ctx, "thermostat-a", true); !errors.Is(err, app.ErrUnknown) {
		t.Errorf("command to a device of alice: %v", err)
	}
	if err := bob.Claim(ctx, "thermostat-a"); err == nil {
		t.Error("bob claims a device of alice")
	}
	alice, err := w.app("alice", "alice's password")
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.Share(ctx, "thermostat-a", "bob"); err != nil {
		t.Fatal(err)
	}
	if err := bob.Command(ctx, "thermostat-a", true); err != nil {
		t.Errorf("command to a shared device: %v", err)
	}
}

func TestStateOutlivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cloud.json")
	w := start(t, func(c *cloud.Config) { c.State = file })
	alice, err := w.app("alice", "alice's password")
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.Share(t.Context(), "thermostat-a", "bob"); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	w = start(t, func(c *cloud.Config) { c.State = file })
	bob, err := w.app("bob", "bob's password")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := bob.Devices(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("devices of bob after the restart: %+v, %v", list, err)
	}
}

func TestDeviceProvesItselfWithItsCertificate(t *testing.T) {
	clk := clock.New(1)
	authority, err := pki.New(clk.Now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Server(pki.Good, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, func(c *cloud.Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{*server}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: authority.ClientPool()}
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.RootsPEM())
	for name, want := range map[string]byte{"thermostat-a": 0, "thermostat-b": 0x85, "nobody": 0x87} {
		cert, err := authority.Client(name, clk.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		secure := &tls.Config{ServerName: "localhost", RootCAs: roots, Certificates: []tls.Certificate{*cert}}
		if _, code := w.device("thermostat-a", "", secure); code != want {
			t.Errorf("thermostat-a with the certificate of %s: 0x%02X, want 0x%02X", name, code, want)
		}
	}
}

func TestDevicesAreKeptApart(t *testing.T) {
	w := start(t, nil)
	if _, code := w.device("thermostat-a", "wrong", nil); code != 0x86 {
		t.Errorf("wrong password: 0x%02X", code)
	}
	a, _ := w.device("thermostat-a", "secret-of-thermostat-a", nil)
	for _, filter := range []string{"#", "thermostat/#", "thermostat/+/command", "thermostat/thermostat-b/#", "$share/x/thermostat/thermostat-b/#", "$SYS/#"} {
		codes, err := a.Subscribe(t.Context(), mqtt.Subscription{Filter: filter})
		if err != nil || len(codes) != 1 || codes[0] != 0x87 {
			t.Errorf("subscription to %s: % X, %v", filter, codes, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if ack, err := a.Publish(ctx, mqtt.Packet{Topic: "thermostat/thermostat-b/command", QoS: 1}); err != nil || ack.Code != 0x87 {
		t.Errorf("publish to another device: %v, %v", ack.Packet, err)
	}
}
