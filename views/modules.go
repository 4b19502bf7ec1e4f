package views

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// The entry modules of the pages that have a script.
const (
	homeScript = "js/page/home.js"
	roomScript = "js/page/room.js"
)

var (
	homePreloads = sync.OnceValue(func() []string { return staticImports(static(), homeScript)[1:] })
	roomPreloads = sync.OnceValue(func() []string { return staticImports(static(), roomScript)[1:] })
)

// Script returns the page's entry module, without StaticPath.
func (Home) Script() string { return homeScript }

// Script returns the page's entry module, without StaticPath.
func (Room) Script() string { return roomScript }

// Preloads returns the modules that Script imports, directly or not, in order. Without
// a preload the browser discovers a module only after it has loaded the one that imports it,
// which costs a round trip for each level. Modules behind import() are not in the list.
func (Home) Preloads() []string { return homePreloads() }

// Preloads is like Home.Preloads.
func (Room) Preloads() []string { return roomPreloads() }

// staticImports returns entry, followed by all modules it imports statically, directly or
// not, in lexical order. It panics if one of them is missing or cannot be parsed: both
// are embedded, and a test reads every one.
func staticImports(files fs.FS, entry string) []string {
	found := []string{entry}
	for i := 0; i < len(found); i++ {
		source, err := fs.ReadFile(files, found[i])
		if err != nil {
			panic(fmt.Errorf("imported by a script: %w", err))
		}
		tree, err := js.Parse(parse.NewInputBytes(source), js.Options{})
		if err != nil {
			panic(fmt.Errorf("parse %s: %w", found[i], err))
		}
		for _, statement := range tree.List {
			specifier, ok := moduleSpecifier(statement)
			if !ok {
				continue
			}
			if name := path.Join(path.Dir(found[i]), specifier); !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	slices.Sort(found[1:])
	return found
}

// moduleSpecifier returns the path in an import statement or an export with from.
func moduleSpecifier(statement js.IStmt) (string, bool) {
	var quoted []byte
	switch statement := statement.(type) {
	case *js.ImportStmt:
		quoted = statement.Module
	case *js.ExportStmt:
		quoted = statement.Module
	}
	specifier, err := strconv.Unquote(string(quoted))
	return specifier, err == nil
}
