package shakedown_test

import (
	"go/ast"
	"go/token"
	"testing"
)

// TestExportedNamesAreDocumented allows one exported name in twenty to go without a comment.
func TestExportedNamesAreDocumented(t *testing.T) {
	const least = 95 // percent
	set, files := house(t)
	total := 0
	var bare []string
	for _, f := range files {
		if f.test() || f.Name.Name == "main" {
			continue
		}
		for _, d := range f.Decls {
			for name, documented := range exported(d) {
				total++
				if !documented {
					bare = append(bare, set.Position(name.Pos()).String()+": "+name.Name)
				}
			}
		}
	}
	if documented := total - len(bare); documented*100 < least*total {
		t.Errorf("%d of %d exported names are documented, less than %d %%:", documented, total, least)
		for _, b := range bare {
			t.Error(b)
		}
	}
}

// exported are the exported names that a declaration makes, and whether each has a comment. A group's comment counts for constants and
// variables, not for types.
func exported(d ast.Decl) map[*ast.Ident]bool {
	names := map[*ast.Ident]bool{}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || receiver(d.Recv).IsExported()) {
			names[d.Name] = d.Doc != nil
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					names[s.Name] = s.Doc != nil || s.Comment != nil || d.Doc != nil && d.Lparen == token.NoPos
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() {
						names[n] = s.Doc != nil || s.Comment != nil || d.Doc != nil
					}
				}
			}
		}
	}
	return names
}

// receiver is the name of the type that a method belongs to.
func receiver(list *ast.FieldList) *ast.Ident {
	e := list.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x
		default:
			return ast.NewIdent("_")
		}
	}
}
