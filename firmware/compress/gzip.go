package compress

import (
	"bufio"
	"compress/gzip"
	"io"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// gz is gzip, RFC 1952, of one member.
var gz = tree.Format{ID: "gzip", Title: "gzip stream", Magic: []tree.Magic{{At: 0, Bytes: "\x1f\x8b\x08"}}, Search: true, Open: openGzip}

func openGzip(o *tree.Opening) error {
	counted := &counter{r: o.Data}
	r, err := gzip.NewReader(counted)
	if err != nil {
		return tree.ErrNot
	}
	r.Multistream(false)
	name := r.Name
	if name == "" {
		name = "content"
	}
	n, err := o.Made(name, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
	if err != nil {
		return err
	}
	if n.Size() == 0 && len(n.Notes) > 0 {
		return tree.ErrNot
	}
	o.Ends(counted.at())
	if r.ModTime.Unix() > 0 {
		o.Describe("of %s", r.ModTime.UTC().Format("2006-01-02"))
	}
	return nil
}

// counter reads bytes one after another, so that a decoder takes no more than it needs, and counts them.
type counter struct {
	r io.Reader
	b *bufio.Reader
	n int64
}

func (c *counter) buffered() *bufio.Reader {
	if c.b == nil {
		c.b = bufio.NewReaderSize(c.r, 64<<10)
	}
	return c.b
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.buffered().Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.buffered().ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// at is how many bytes were taken.
func (c *counter) at() int64 { return c.n }
