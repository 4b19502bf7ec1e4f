// Package views is what a browser gets: the page templates, and the styles,
// scripts and images they use, all embedded in the program.
//
// A handler fills in one of the models Home, Room or Error and renders the
// template of the same name. Everything a person wrote is escaped by the
// templates, except Message.HTML, which the caller has sanitised.
//
//	app := fiber.New(fiber.Config{Views: views.Engine(), ViewsLayout: views.Layout})
//	c.Render("home", views.Home{Page: views.Page{User: ada}, Rooms: rooms})
//
// Static files are served under StaticPath, whose second part is a hash of all
// their contents: they may be cached for ever, and modules import each other by
// relative paths.
//
// Everything here may be used from many goroutines at once; models are plain
// values that nobody changes while they are being rendered.
package views

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/template/html/v2"
)

//go:embed templates/*.html
var templateFiles embed.FS

// Only what a browser loads: *.test.mjs and package.json stay outside.
//
//go:embed static/*.svg static/*.png static/*.webmanifest static/css/*.css static/js/*/*.js static/vendor
var staticFiles embed.FS

//go:embed sw.js
var workerSource []byte

// Layout is the template that surrounds every page. Always render with it
// (fiber.Config.ViewsLayout).
const Layout = "layout"

// Engine returns the template engine, ready for fiber.Config.Views. Its
// templates are "home", "room" and "error", each rendered with its model.
func Engine() fiber.Views {
	return html.NewFileSystem(http.FS(sub(templateFiles, "templates")), ".html")
}

func static() fs.FS { return sub(staticFiles, "static") }

// Worker is the service worker, to be served at the top of all paths. It begins with
// where the static files are and what they are, so that it changes when they do.
var Worker = sync.OnceValue(func() []byte {
	var paths []string
	for _, name := range AssetNames() {
		paths = append(paths, StaticPath()+"/"+name)
	}
	files, err := json.Marshal(paths)
	if err != nil {
		panic(err) // Strings can be marshalled.
	}
	return fmt.Appendf(nil, "const VERSION = %q;\nconst FILES = %s;\n%s", Hash(), files, lean("text/javascript", workerSource))
})

// Hash returns a short hash of the names and contents of all static files.
var Hash = sync.OnceValue(func() string { return hash(static()) })

// StaticPath returns where the static files are served: "/static/<hash>".
func StaticPath() string { return "/static/" + Hash() }

func hash(files fs.FS) string {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		panic(err) // An embedded file is always readable.
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

func sub(files embed.FS, directory string) fs.FS {
	inside, err := fs.Sub(files, directory)
	if err != nil {
		panic(err) // The directory is named in the go:embed line.
	}
	return inside
}
