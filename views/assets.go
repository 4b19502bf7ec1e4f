package views

import (
	"bytes"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

// Stylesheet is all of css/ in one file, base.css first.
const Stylesheet = "style.css"

// An Asset is a static file as it is served. Our scripts and styles are minified:
// their comments are for those who read the source.
type Asset struct {
	Type  string // of its content
	Plain []byte
	Gzip  []byte // nil where it would not be smaller
}

// AssetNames are the names of all static files, without StaticPath, in order.
var AssetNames = sync.OnceValue(func() []string {
	names := []string{Stylesheet}
	err := fs.WalkDir(static(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path.Dir(name) != "css" && path.Base(name) != "LICENSE" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		panic(err) // An embedded file is always there.
	}
	slices.Sort(names)
	return names
})

// assets holds what makes each asset, once, when it is first asked for.
var assets = sync.OnceValue(func() map[string]func() Asset {
	all := make(map[string]func() Asset)
	for _, name := range AssetNames() {
		all[name] = sync.OnceValue(func() Asset { return newAsset(name) })
	}
	return all
})

// FindAsset returns the static file of the name. The caller changes nothing in it.
func FindAsset(name string) (Asset, bool) {
	found, ok := assets()[name]
	if !ok {
		return Asset{}, false
	}
	return found(), true
}

func newAsset(name string) Asset {
	source := source(name)
	asset := Asset{Type: contentType(name), Plain: source}
	if !strings.HasPrefix(name, "vendor/") {
		asset.Plain = lean(asset.Type, source)
	}
	var zipped bytes.Buffer                                         // by a compressor that is 0.5 % better on our scripts than the standard library's
	writer, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // the level is valid
	writer.Write(asset.Plain)
	writer.Close()
	if zipped.Len() < len(asset.Plain) {
		asset.Gzip = zipped.Bytes()
	}
	return asset
}

func source(name string) []byte {
	if name != Stylesheet {
		return embedded(name)
	}
	sheets, _ := fs.Glob(static(), "css/*.css") // the pattern is valid
	all := embedded("css/base.css")             // it says in which order the layers count
	for _, sheet := range sheets {
		if sheet != "css/base.css" {
			all = append(all, embedded(sheet)...)
		}
	}
	return all
}

func embedded(name string) []byte {
	content, err := fs.ReadFile(static(), name)
	if err != nil {
		panic(err) // An embedded file is always readable.
	}
	return content
}

var minifier = func() *minify.M {
	m := minify.New()
	m.AddFunc("text/css", css.Minify)
	m.AddFunc("text/javascript", js.Minify)
	return m
}()

// lean minifies a script or a style, and leaves anything else as it is.
func lean(contentType string, source []byte) []byte {
	kind, _, _ := strings.Cut(contentType, ";")
	if kind != "text/css" && kind != "text/javascript" {
		return source
	}
	small, err := minifier.Bytes(kind, source)
	if err != nil {
		panic(fmt.Errorf("minify: %w", err)) // A test minifies every file.
	}
	return small
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".webmanifest":
		return "application/manifest+json"
	case ".js":
		return "text/javascript; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name)) // those built in: css, json, png, svg
}
