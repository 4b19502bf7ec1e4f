// Package views contains everything that a browser loads: page templates, and the styles,
// scripts and images that they use. All of it is embedded in the program.
//
// Each kind of page has a model, such as Home, Room or SignIn, and a template of the same name. A handler
// fills in the model and renders the template:
//
//	app := fiber.New(fiber.Config{Views: views.Engine(), ViewsLayout: views.Layout})
//	c.Render("home", views.Home{Page: views.Page{Static: views.StaticPath(), User: ada}, Rooms: rooms})
//
// The templates escape all text except Message.HTML, which the caller must sanitize.
//
// FindAsset returns the static files, minified and gzipped. Serve them under StaticPath, which contains
// a hash of all files, so that browsers may cache them forever. Worker returns the service worker.
// Serve it as /sw.js.
//
// All functions are safe for concurrent use. Models must not change while they are
// rendered. README.md describes the page and its scripts.
package views

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
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

// staticFiles are the files that a browser loads. They do not include the tests.
//
//go:embed static/*.svg static/*.png static/*.webmanifest static/css/*.css static/css/files/*.css static/js/*/*.js static/vendor
var staticFiles embed.FS

//go:embed sw.js
var workerSource []byte

// Layout is the name of the template that encloses every page, for fiber.Config.ViewsLayout.
const Layout = "layout"

// Engine returns the template engine for fiber.Config.Views. Each page's template, such as "home", is rendered
// with the model of the same name.
func Engine() fiber.Views {
	return html.NewFileSystem(http.FS(mustSub(templateFiles, "templates")), ".html")
}

func static() fs.FS { return mustSub(staticFiles, "static") }

// Worker returns the service worker. Its source begins with the paths of all static files. The paths
// contain a hash of the files, so the worker changes whenever a file does.
var Worker = sync.OnceValue(func() Asset {
	var paths []string
	for _, name := range AssetNames() {
		paths = append(paths, StaticPath()+"/"+name)
	}
	files, err := json.Marshal(paths)
	if err != nil {
		panic(err) // A []string can always be encoded.
	}
	const javascript = "text/javascript; charset=utf-8"
	return compressed(javascript, fmt.Appendf(nil, "const VERSION = %q;\nconst FILES = %s;\n%s", Hash(), files, minified(javascript, workerSource)))
})

// Icon returns an icon in ICO format for programs that request /favicon.ico. An ICO file may contain a
// PNG.
var Icon = sync.OnceValue(func() Asset {
	png := readStatic("icon-192.png")
	const pixels, planes, depth, images, header = 192, 1, 32, 1, 22
	ico := []byte{0, 0, 1, 0, images, 0, pixels, pixels, 0, 0, planes, 0, depth, 0}
	ico = binary.LittleEndian.AppendUint32(ico, uint32(len(png)))
	ico = binary.LittleEndian.AppendUint32(ico, header)
	return compressed("image/x-icon", append(ico, png...))
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
