package views

import (
	"bytes"
	"io/fs"
	"regexp"
	"strings"
)

// Documentation comments are for those who read the source: a browser gets our
// scripts without them, line for line the same otherwise.
var documentation = regexp.MustCompile(`(?ms)^[ \t]*/\*\*.*?\*/$`)

func lean(script []byte) []byte {
	return documentation.ReplaceAllFunc(script, func(comment []byte) []byte {
		return bytes.Repeat([]byte("\n"), bytes.Count(comment, []byte("\n")))
	})
}

// leanFiles are files, with our scripts made lean.
type leanFiles struct{ fs.FS }

// Open is of fs.FS.
func (f leanFiles) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".js") || strings.HasPrefix(name, "vendor/") {
		return file, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	script, err := fs.ReadFile(f.FS, name)
	return leanFile{bytes.NewReader(lean(script)), info}, err
}

// leanFile is an open script, and its own description.
type leanFile struct {
	*bytes.Reader
	fs.FileInfo
}

func (f leanFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f leanFile) Close() error               { return nil }
func (f leanFile) Size() int64                { return f.Reader.Size() }
