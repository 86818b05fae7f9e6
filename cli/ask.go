package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// errNobody is the answer where nobody can be asked.
var errNobody = errors.New("there is no person at a terminal")

// person answers questions at the terminal, one at a time.
type person struct {
	out io.Writer
	in  *bufio.Reader

	turn    sync.Mutex
	waiting chan answer // of a line that is being read; nil when none is
}

type answer struct {
	line string
	err  error
}

func (a *app) person() *person {
	return &person{out: a.Stderr, in: bufio.NewReader(io.LimitReader(a.Stdin, 1<<20))}
}

// ask puts a question and returns the line that is typed. A line that is still being read when ctx ends answers the next question.
func (p *person) ask(ctx context.Context, question string) (string, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	fmt.Fprint(p.out, question)
	if p.waiting == nil {
		p.waiting = make(chan answer, 1)
		go func(to chan<- answer) {
			line, err := p.in.ReadString('\n')
			to <- answer{strings.TrimRight(line, "\r\n"), err}
		}(p.waiting)
	}
	select {
	case got := <-p.waiting:
		p.waiting = nil
		if got.err != nil && got.line == "" {
			return "", errNobody
		}
		return got.line, nil
	case <-ctx.Done():
		fmt.Fprintln(p.out)
		return "", ctx.Err()
	}
}
