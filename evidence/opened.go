package evidence

// Opened is an artefact as it was opened.
type Opened struct {
	Part    string    `json:"part"`
	File    string    `json:"file"`
	Size    int64     `json:"size"` // bytes
	SHA256  string    `json:"sha256"`
	Opaque  int64     `json:"opaque"`  // bytes that look encrypted or are packed in an unknown way
	Profile []float64 `json:"profile"` // entropy in bits a byte of stretches of equal length
	Lines   []Content `json:"contents"`
	Left    int       `json:"left_out,omitempty"` // contents that are not listed
}

// Content is one thing that lies in an artefact, in the order of the tree.
type Content struct {
	Depth  int      `json:"depth"` // 0: the artefact itself
	Name   string   `json:"name"`
	Format string   `json:"format,omitempty"`
	About  string   `json:"about,omitempty"`
	Offset int64    `json:"offset"` // in what it lies in; -1: it was made from that
	Size   int64    `json:"size"`
	Files  int      `json:"files,omitempty"` // of a file system or archive
	Notes  []string `json:"notes,omitempty"`
}
