package artefact

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Beside is what a maker gives beside an artefact.
type Beside struct {
	SBOM     *Paper  // bill of materials; nil: none is given
	VEX      []Paper // statements on vulnerabilities
	Data     fs.FS   // folder with lists of vulnerabilities and of ends of life; nil: the bundled ones alone
	DataName string  // what that folder is called
	Previous *Facts  // the artefact that users have now; nil: not given

	PreviousErr error // why it cannot be compared with
}

// Paper is a document, or why it cannot be read.
type Paper struct {
	Name string
	Data []byte
	Err  error
}

// ReadPaper reads a document of at most limit bytes.
func ReadPaper(folder fs.FS, name string, limit int64) Paper {
	p := Paper{Name: name}
	p.Data, p.Err = readBounded(folder, path.Base(name), limit)
	return p
}

func readBounded(folder fs.FS, name string, limit int64) ([]byte, error) {
	f, err := folder.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w\nhint: correct its name in the product file, or make it first", err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: it is larger than %d bytes", name, limit)
	}
	return data, nil
}
