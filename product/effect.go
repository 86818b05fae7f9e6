package product

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
)

// Limits of an expression: its length in bytes, how deep it nests, and the work that one evaluation may take, in CEL's cost units.
const (
	maxExpression = 4096
	maxRecursion  = 64
	maxCost       = 100_000
)

// Vars is what an expression is about: one message, and the command that it may answer.
type Vars struct {
	Payload any    // the message as decoded JSON; nil when it is none
	Text    string // the message as it came
	Topic   string // where it was published
	N       int    // the number of the command
	Token   string // the word of the command
	ID      string // the device id
}

func (v Vars) activation() map[string]any {
	return map[string]any{"payload": v.Payload, "text": v.Text, "topic": v.Topic, "n": v.N, "token": v.Token, "id": v.ID}
}

var variables = []string{"payload", "text", "topic", "n", "token", "id"}

// environment is made on first use: it takes milliseconds that a program without expressions need not spend.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("payload", cel.DynType),
		cel.Variable("text", cel.StringType),
		cel.Variable("topic", cel.StringType),
		cel.Variable("n", cel.IntType),
		cel.Variable("token", cel.StringType),
		cel.Variable("id", cel.StringType),
		cel.CrossTypeNumericComparisons(true), // JSON has no integers: payload.n >= n must work
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(maxRecursion),
	)
})

// Program is a compiled condition. It may be used by several goroutines.
type Program interface {
	// Eval says whether the condition holds. A field that the payload lacks is an error, and so is a result that is not true or
	// false and too much work; callers take an error as false.
	Eval(Vars) (bool, error)
}

// Sequence is a compiled expression for a running number. It may be used by several goroutines.
type Sequence interface {
	// Number is the running number of a message. A missing field and a result that is not a whole number are errors.
	Number(Vars) (int64, error)
}

// CompileEffect compiles a condition in CEL. A name that it does not know is an error.
func CompileEffect(expr string) (Program, error) {
	p, err := compile(expr, "true or false", cel.BoolType)
	if err != nil {
		return nil, err
	}
	return condition{p}, nil
}

// CompileSequence compiles an expression in CEL that is a number.
func CompileSequence(expr string) (Sequence, error) {
	p, err := compile(expr, "a number", cel.IntType, cel.UintType, cel.DoubleType)
	if err != nil {
		return nil, err
	}
	return number{p}, nil
}

// Value is a compiled expression for a number or a text. It may be used by several goroutines.
type Value interface {
	// Text is the value of a message: a whole number in decimal digits, a text as it is. A missing field is an error.
	Text(Vars) (string, error)
}

// CompileValue compiles an expression in CEL that is a number or a text.
func CompileValue(expr string) (Value, error) {
	p, err := compile(expr, "a number or a text", cel.IntType, cel.UintType, cel.DoubleType, cel.StringType)
	if err != nil {
		return nil, err
	}
	return value{p}, nil
}

type value struct{ cel.Program }

func (s value) Text(v Vars) (string, error) {
	out, _, err := s.Program.Eval(v.activation())
	if err != nil {
		return "", fmt.Errorf("evaluate value: %w", err)
	}
	switch x := out.Value().(type) {
	case string:
		return x, nil
	case int64, uint64:
		return fmt.Sprint(x), nil
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("evaluate value: the result is %s, neither a number nor a text", out.Type().TypeName())
}

type condition struct{ cel.Program }

func (c condition) Eval(v Vars) (bool, error) {
	out, _, err := c.Program.Eval(v.activation())
	if err != nil {
		return false, fmt.Errorf("evaluate condition: %w", err)
	}
	holds, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("evaluate condition: the result is %s, not true or false", out.Type().TypeName())
	}
	return holds, nil
}

type number struct{ cel.Program }

func (s number) Number(v Vars) (int64, error) {
	out, _, err := s.Program.Eval(v.activation())
	if err != nil {
		return 0, fmt.Errorf("evaluate sequence: %w", err)
	}
	switch x := out.Value().(type) {
	case int64:
		return x, nil
	case uint64:
		if x <= math.MaxInt64 {
			return int64(x), nil
		}
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return int64(x), nil
		}
	}
	return 0, fmt.Errorf("evaluate sequence: the result is not a whole number but %v", out.Value())
}

// expressionError is why an expression does not compile, with the name that is not known, if that is why.
type expressionError struct {
	text, name string
}

func (e *expressionError) Error() string { return e.text }

func compile(expr, want string, types ...*cel.Type) (cel.Program, error) {
	if len(expr) > maxExpression {
		return nil, fmt.Errorf("the expression has %d bytes; at most %d are read", len(expr), maxExpression)
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("prepare CEL: %w", err)
	}
	ast, issues := env.Compile(expr)
	if err := firstIssue(issues); err != nil {
		return nil, err
	}
	is := ast.OutputType()
	fits := is.IsExactType(cel.DynType)
	for _, t := range types {
		fits = fits || is.IsExactType(t)
	}
	if !fits {
		return nil, fmt.Errorf("the expression is %s, not %s", is, want)
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("prepare expression: %w", err)
	}
	return program, nil
}

// firstIssue is the first thing that the compiler says, without its drawing of the place.
func firstIssue(issues *cel.Issues) error {
	if issues == nil || issues.Err() == nil {
		return nil
	}
	all := issues.Errors()
	if len(all) == 0 {
		return errors.New("the expression does not compile")
	}
	text := strings.TrimSuffix(all[0].Message, " (in container '')")
	text, _, _ = strings.Cut(text, " expecting {") // a list of every sign of the language
	name := ""
	if _, after, ok := strings.Cut(text, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(after, "'")
		text = "unknown name " + short(name)
	}
	return &expressionError{text: text, name: name}
}
