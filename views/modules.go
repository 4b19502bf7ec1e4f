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
	homeScript   = "js/page/home.js"
	roomScript   = "js/page/room.js"
	signInScript = "js/page/sign-in.js"
)

var (
	homePreloads   = sync.OnceValue(func() []string { return staticImports(static(), homeScript)[1:] })
	roomPreloads   = sync.OnceValue(func() []string { return staticImports(static(), roomScript)[1:] })
	signInPreloads = sync.OnceValue(func() []string { return staticImports(static(), signInScript)[1:] })
)

// Script returns the path of the page's entry module, relative to StaticPath.
func (Home) Script() string { return homeScript }

// Script returns the path of the page's entry module, relative to StaticPath.
func (Room) Script() string { return roomScript }

// Preloads returns the sorted paths of all modules that Script imports, directly or indirectly, except
// by import(). Without preloads, the browser would discover each module only after loading the one
// that imports it, at a round trip for each level.
func (Home) Preloads() []string { return homePreloads() }

// Preloads returns the paths of the modules to preload, like Home.Preloads.
func (Room) Preloads() []string { return roomPreloads() }

// staticImports returns entry, followed by the sorted paths of all modules that it imports statically,
// directly or indirectly. It panics if a module is missing or cannot be parsed. A test checks that all
// embedded modules exist and can be parsed.
func staticImports(files fs.FS, entry string) []string {
	modules := []string{entry}
	for i := 0; i < len(modules); i++ {
		source, err := fs.ReadFile(files, modules[i])
		if err != nil {
			panic(fmt.Errorf("read an imported module: %w", err))
		}
		tree, err := js.Parse(parse.NewInputBytes(source), js.Options{})
		if err != nil {
			panic(fmt.Errorf("parse %s: %w", modules[i], err))
		}
		for _, statement := range tree.List {
			specifier, ok := moduleSpecifier(statement)
			if !ok {
				continue
			}
			if name := path.Join(path.Dir(modules[i]), specifier); !slices.Contains(modules, name) {
				modules = append(modules, name)
			}
		}
	}
	slices.Sort(modules[1:])
	return modules
}

// moduleSpecifier returns the path in an "import … from" or "export … from" statement.
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
