package compress

import (
	"bufio"
	"io"
)

// reader is a buffered reader that knows how much was taken from it.
type reader struct {
	*bufio.Reader
	under *counter
}

type counter struct {
	r io.Reader
	n int64
}

// Read counts.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func newReader(data *io.SectionReader) *reader {
	c := &counter{r: io.NewSectionReader(data, 0, data.Size())}
	return &reader{bufio.NewReaderSize(c, 64<<10), c}
}

// taken is how many bytes were.
func (r *reader) taken() int64 { return r.under.n - int64(r.Buffered()) }
