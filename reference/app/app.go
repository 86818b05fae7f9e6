// Package app is the reference product's app without its screen: what a phone would say to the cloud's HTTP API.
package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 1 << 20

// The refusals that an app tells apart.
var (
	ErrLogin   = errors.New("the cloud wants a login")
	ErrUnknown = errors.New("the cloud knows no such device of yours")
)

// App is one user's app. Its zero value but for Base is logged out. It is used by one goroutine at a time.
type App struct {
	Base  string // of the API, such as "http://127.0.0.1:8080"
	HTTP  *http.Client
	token string
}

// Device is what an app shows of a device.
type Device struct {
	ID    string                     `json:"id"`
	Owner string                     `json:"owner"`
	State map[string]json.RawMessage `json:"state"` // last report by its topic: "telemetry", "status"
}

// Login proves who the user is. The error is ErrLogin when the cloud does not believe it.
func (a *App) Login(ctx context.Context, user, password string) error {
	var got struct{ Token string }
	if err := a.call(ctx, "POST", "/api/login", map[string]string{"user": user, "password": password}, &got); err != nil {
		return fmt.Errorf("log in as %s: %w", user, err)
	}
	a.token = got.Token
	return nil
}

// Devices lists what the user owns or may see.
func (a *App) Devices(ctx context.Context) ([]Device, error) {
	var list []Device
	if err := a.call(ctx, "GET", "/api/devices", nil, &list); err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return list, nil
}

// Command sends a command to a device. It returns when the cloud has taken it.
func (a *App) Command(ctx context.Context, id string, command any) error {
	return a.on(ctx, id, "commands", command)
}

// Claim makes the user the owner of a device that has none.
func (a *App) Claim(ctx context.Context, id string) error { return a.on(ctx, id, "claim", nil) }

// Share lets another user see and command a device.
func (a *App) Share(ctx context.Context, id, with string) error {
	return a.on(ctx, id, "share", map[string]string{"with": with})
}

func (a *App) on(ctx context.Context, id, verb string, body any) error {
	if err := a.call(ctx, "POST", "/api/devices/"+url.PathEscape(id)+"/"+verb, body, nil); err != nil {
		return fmt.Errorf("%s of %s: %w", verb, id, err)
	}
	return nil
}

// call sends body as JSON, if there is one, and decodes the answer into got, if it is wanted.
func (a *App) call(ctx context.Context, method, path string, body, got any) error {
	var send bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&send).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.Base+path, &send)
	if err != nil {
		return err
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := io.LimitReader(resp.Body, maxAnswer)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return ErrLogin
	case resp.StatusCode == http.StatusNotFound:
		return ErrUnknown
	case resp.StatusCode >= 300:
		text, _ := io.ReadAll(answer)
		return fmt.Errorf("the cloud answers %s: %s", resp.Status, bytes.TrimSpace(text))
	case got == nil:
		return nil
	}
	return json.NewDecoder(answer).Decode(got)
}
