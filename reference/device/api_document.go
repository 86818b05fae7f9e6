package device

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// document is a configuration that came from the API.
type document struct {
	ID       string
	Language string
	Pack     *packRef
}

// packRef names a language pack.
type packRef struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// fetchDocument is a turn that gets the configuration. A token that is refused is refreshed once.
func (c *apiClient) fetchDocument(ctx context.Context) outcome {
	c.given = ""
	path := "/v1/devices/" + c.d.cfg.ID + "/configuration"
	r, err := c.get(ctx, path, http.Header{"Accept": {"application/json"}})
	if err == nil && r.StatusCode == http.StatusUnauthorized && c.mayRefresh {
		c.done(r)
		if err = c.refresh(ctx); err == nil {
			r, err = c.get(ctx, path, http.Header{"Accept": {"application/json"}})
		}
	}
	if err != nil {
		return outcome{err: err, token: c.given}
	}
	doc, err := c.document(r)
	return outcome{doc: doc, err: err, token: c.given, fresh: maxAge(r.Header)}
}

// maxAge is how long an answer holds (RFC 9111 section 5.2.2.1).
func maxAge(h http.Header) time.Duration {
	for _, said := range strings.Split(h.Get("Cache-Control"), ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(said), "max-age="); ok {
			if n, err := strconv.ParseUint(text, 10, 31); err == nil {
				return time.Duration(n) * time.Second
			}
		}
	}
	return 0
}

// document reads the answer that should be the configuration.
func (c *apiClient) document(r *http.Response) (*document, error) {
	defer c.done(r)
	d := c.d
	if r.StatusCode != http.StatusOK {
		return nil, refusal(r)
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); (err != nil || kind != "application/json") && !d.has("http-any-type") {
		return nil, fmt.Errorf("the answer is %q, not application/json", r.Header.Get("Content-Type"))
	}
	if d.has("http-chunked-refused") && len(r.TransferEncoding) > 0 {
		return nil, errors.New("no Content-Length")
	}
	if d.has("http-no-length-crash") && r.ContentLength < 0 && len(r.TransferEncoding) == 0 {
		d.crashLater("makeslice: len out of range")
		return nil, errTooLarge
	}
	body, err := c.readAll(r, maxDocument)
	if err != nil {
		return nil, err
	}
	if d.has("http-any-type") { // it looks for what it knows
		if from, to := bytes.IndexByte(body, '{'), bytes.LastIndexByte(body, '}'); from >= 0 && to > from {
			body = body[from : to+1]
		}
	}
	return parseDocument(body)
}

// parseDocument checks a configuration field by field. Fields that it does not know belong to a newer cloud.
func parseDocument(body []byte) (*document, error) {
	fields, err := decodeObject(body)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	doc := &document{}
	doc.ID, _ = fields["id"].(string)
	doc.Language, _ = fields["language"].(string)
	if doc.ID == "" || len(doc.ID) > 64 || len(doc.Language) > 16 || strings.ContainsFunc(doc.ID+doc.Language, func(r rune) bool { return r <= ' ' }) {
		return nil, errors.New("configuration without an id, or with a strange one")
	}
	pack, there := fields["pack"].(map[string]any)
	if !there {
		return doc, nil
	}
	p := &packRef{}
	p.Path, _ = pack["path"].(string)
	p.SHA256, _ = pack["sha256"].(string)
	size, _ := pack["size"].(float64)
	if _, err := hex.DecodeString(p.SHA256); err != nil || len(p.SHA256) != 2*sha256.Size || !strings.HasPrefix(p.Path, "/") ||
		size < 1 || size > maxPack || size != math.Trunc(size) {
		return nil, errors.New("configuration with a language pack that makes no sense")
	}
	p.Size = int64(size)
	doc.Pack = p
	return doc, nil
}

// fetchPack is a turn that gets a language pack, from where an earlier one left off. It counts only when it is whole.
func (c *apiClient) fetchPack(ctx context.Context, p packRef) outcome {
	c.given = ""
	part := filepath.Join(c.d.cfg.State, "pack."+p.SHA256[:16])
	for {
		have := fileSize(part)
		h := http.Header{"Accept": {"application/octet-stream"}}
		if have > 0 {
			h.Set("Range", fmt.Sprintf("bytes=%d-", have))
		}
		r, err := c.get(ctx, p.Path, h)
		if err != nil {
			return outcome{err: err}
		}
		if r.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0 && !c.d.has("http-range-416-stuck") {
			c.done(r)
			if err := os.Remove(part); err != nil {
				return outcome{err: fmt.Errorf("begin language pack anew: %w", err)}
			}
			continue
		}
		if err := c.store(r, part, have, p); err != nil {
			return outcome{err: err}
		}
		return c.whole(part, p)
	}
}

// store writes what an answer holds of a language pack behind the bytes that are there.
func (c *apiClient) store(r *http.Response, part string, have int64, p packRef) error {
	defer c.done(r)
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	switch r.StatusCode {
	case http.StatusPartialContent:
		if want := fmt.Sprintf("bytes %d-%d/%d", have, p.Size-1, p.Size); r.Header.Get("Content-Range") != want {
			return fmt.Errorf("the answer has %q, not %q", r.Header.Get("Content-Range"), want)
		}
	case http.StatusOK: // from the beginning, whatever was asked for
		if !c.d.has("http-range-appended") {
			flags, have = os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0
		}
	default:
		return refusal(r)
	}
	f, err := os.OpenFile(part, flags, 0o600)
	if err != nil {
		return fmt.Errorf("store language pack: %w", err)
	}
	defer f.Close()
	c.conn.budget.left = 2*p.Size + maxDocument
	n, err := io.Copy(f, io.LimitReader(r.Body, p.Size-min(have, p.Size)+1))
	switch {
	case err != nil:
		return fmt.Errorf("language pack interrupted after %d of %d bytes: %w", have+n, p.Size, err)
	case have+n < p.Size && !c.d.has("http-pack-unverified"):
		return fmt.Errorf("language pack ends after %d of %d bytes", have+n, p.Size)
	}
	return nil
}

// whole compares a language pack with what the configuration said of it.
func (c *apiClient) whole(part string, p packRef) outcome {
	body, err := os.ReadFile(part)
	if err != nil {
		return outcome{err: fmt.Errorf("read language pack: %w", err)}
	}
	sum := sha256.Sum256(body)
	if hex.EncodeToString(sum[:]) != p.SHA256 && !c.d.has("http-pack-unverified") {
		if !c.d.has("http-range-appended") {
			os.Remove(part)
		}
		return outcome{err: errors.New("language pack is damaged")}
	}
	if err := os.Rename(part, filepath.Join(c.d.cfg.State, "pack")); err != nil {
		return outcome{err: fmt.Errorf("store language pack: %w", err)}
	}
	return outcome{pack: p.SHA256}
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
