module github.com/shakedown-test/shakedown/examples/makers

go 1.26.0

require (
	github.com/apache/mynewt-artifact v0.0.24
	github.com/blacktop/go-macho v1.1.296
)

require (
	github.com/NickBall/go-aes-key-wrap v0.0.0-20170929221519-1c3aa3e4dfc5 // indirect
	github.com/blacktop/go-dwarf v1.1.0 // indirect
	github.com/pkg/errors v0.8.1 // indirect
	golang.org/x/crypto v0.0.0-20190618222545-ea8f1a30c443 // indirect
	golang.org/x/sys v0.0.0-20190412213103-97732733099d // indirect
)
