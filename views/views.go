// Package views is everything a browser gets: page templates, and the styles, scripts and
// images they use, all embedded in the program.
//
// A handler fills in one of the models Home, Room or Error and renders the template of
// the same name:
//
//	app := fiber.New(fiber.Config{Views: views.Engine(), ViewsLayout: views.Layout})
//	c.Render("home", views.Home{Page: views.Page{Static: views.StaticPath(), User: ada}, Rooms: rooms})
//
// The templates escape all text. The one exception is Message.HTML, which the caller must
// have sanitised.
//
// FindAsset returns the static files, minified and gzipped. They are served under
// StaticPath, which contains a hash of all of them: a browser may cache them forever, and
// modules import each other by relative paths. Worker is the service worker, served
// as /sw.js.
//
// Everything here is safe for concurrent use. Models are plain values that must not
// change while they are rendered. README.md describes the page and its scripts.
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

// staticFiles are the files a browser loads, which excludes *.test.mjs and package.json.
//
//go:embed static/*.svg static/*.png static/*.webmanifest static/css/*.css static/js/*/*.js static/vendor
var staticFiles embed.FS

//go:embed sw.js
var workerSource []byte

// Layout is the name of the template around every page, for fiber.Config.ViewsLayout.
const Layout = "layout"

// Engine returns the template engine for fiber.Config.Views. It has the templates "home",
// "room" and "error", each rendered with the model of its name.
func Engine() fiber.Views {
	return html.NewFileSystem(http.FS(mustSub(templateFiles, "templates")), ".html")
}

func static() fs.FS { return mustSub(staticFiles, "static") }

// Worker returns the source of the service worker, which must be served from the root. It
// starts with the paths of all static files, so it changes whenever they do.
var Worker = sync.OnceValue(func() []byte {
	var paths []string
	for _, name := range AssetNames() {
		paths = append(paths, StaticPath()+"/"+name)
	}
	files, err := json.Marshal(paths)
	if err != nil {
		panic(err) // A []string can always be encoded.
	}
	return fmt.Appendf(nil, "const VERSION = %q;\nconst FILES = %s;\n%s", Hash(), files, minified("text/javascript", workerSource))
})

// Hash returns a short hash of the names and contents of all static files.
var Hash = sync.OnceValue(func() string { return hash(static()) })

// StaticPath returns the path under which static files are served: "/static/<hash>".
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
		panic(err) // An embedded file can always be read.
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

func mustSub(files embed.FS, directory string) fs.FS {
	sub, err := fs.Sub(files, directory)
	if err != nil {
		panic(err) // The go:embed directive names the directory.
	}
	return sub
}
