package views

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
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

// Stylesheet is the name of the asset that every page loads.
const Stylesheet = "style.css"

// stylesheets maps each stylesheet to the folder of the files that it contains.
var stylesheets = map[string]string{Stylesheet: "css", "files.css": "css/files"}

// An Asset is a static file, ready to be served. Scripts and styles outside vendor/ are minified.
type Asset struct {
	Type  string // Content-Type
	Plain []byte
	Gzip  []byte // nil if it is not smaller than Plain
	Hash  string // hash of Plain
}

// AssetNames returns the sorted paths of all static files, relative to StaticPath.
var AssetNames = sync.OnceValue(func() []string {
	names := slices.Collect(maps.Keys(stylesheets))
	err := fs.WalkDir(static(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path.Ext(name) != ".css" && path.Base(name) != "LICENSE" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		panic(err) // An embedded file can always be read.
	}
	slices.Sort(names)
	return names
})

// assets makes each asset once, when it is first requested.
var assets = sync.OnceValue(func() map[string]func() Asset {
	all := make(map[string]func() Asset)
	for _, name := range AssetNames() {
		all[name] = sync.OnceValue(func() Asset { return newAsset(name) })
	}
	return all
})

// FindAsset returns the static file at a path relative to StaticPath. The caller must not modify its
// contents.
func FindAsset(name string) (Asset, bool) {
	asset, ok := assets()[name]
	if !ok {
		return Asset{}, false
	}
	return asset(), true
}

func newAsset(name string) Asset {
	source, mediaType := sourceOf(name), contentType(name)
	if !strings.HasPrefix(name, "vendor/") {
		source = minified(mediaType, source)
	}
	return compressed(mediaType, source)
}

// compressed returns an asset with its Gzip and Hash.
func compressed(mediaType string, content []byte) Asset {
	sum := sha256.Sum256(content)
	asset := Asset{Type: mediaType, Plain: content, Hash: hex.EncodeToString(sum[:])[:12]}
	var zipped bytes.Buffer
	// For our scripts, klauspost/compress compresses 0.5% better than the standard library.
	writer, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // The level is valid.
	writer.Write(asset.Plain)
	writer.Close()
	if zipped.Len() < len(asset.Plain) {
		asset.Gzip = zipped.Bytes()
	}
	return asset
}

func sourceOf(name string) []byte {
	folder, ok := stylesheets[name]
	if !ok {
		return readStatic(name)
	}
	sheets, _ := fs.Glob(static(), folder+"/*.css") // The pattern is valid.
	var all []byte
	for _, sheet := range sheets {
		if path.Base(sheet) == "base.css" { // It must come first, because it declares the order of the layers.
			all = append(readStatic(sheet), all...)
		} else {
			all = append(all, readStatic(sheet)...)
		}
	}
	return all
}

func readStatic(name string) []byte {
	content, err := fs.ReadFile(static(), name)
	if err != nil {
		panic(err) // An embedded file can always be read.
	}
	return content
}

var minifier = func() *minify.M {
	m := minify.New()
	m.AddFunc("text/css", css.Minify)
	m.AddFunc("text/javascript", js.Minify)
	return m
}()

// minified returns the minified source of a script or stylesheet, and any other source unchanged.
func minified(contentType string, source []byte) []byte {
	mediaType, _, _ := strings.Cut(contentType, ";")
	if mediaType != "text/css" && mediaType != "text/javascript" {
		return source
	}
	result, err := minifier.Bytes(mediaType, source)
	if err != nil {
		panic(fmt.Errorf("minify: %w", err)) // A test minifies every file.
	}
	return result
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".webmanifest":
		return "application/manifest+json"
	case ".js":
		return "text/javascript; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name)) // Package mime has css, png and svg built in.
}
