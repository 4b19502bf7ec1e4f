package views

import (
	"bytes"
	"io/fs"
	"regexp"
	"strings"
)

// Comments that have lines of their own, and indentation, are for those who read the
// source: a browser gets our scripts and styles without them, line for line the
// same otherwise. (A string over several lines would lose its indentation: there is none.)
var (
	comments    = regexp.MustCompile(`(?ms)^[ \t]*/\*.*?\*/$|^[ \t]*//[^\n]*$`)
	indentation = regexp.MustCompile(`(?m)^[ \t]+`)
)

func lean(source []byte) []byte {
	source = comments.ReplaceAllFunc(source, func(comment []byte) []byte {
		return bytes.Repeat([]byte("\n"), bytes.Count(comment, []byte("\n")))
	})
	return indentation.ReplaceAll(source, nil)
}

// leanFiles are files, with our scripts and styles made lean.
type leanFiles struct{ fs.FS }

// Open is of fs.FS.
func (f leanFiles) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	ours := (strings.HasSuffix(name, ".js") || strings.HasSuffix(name, ".css")) && !strings.HasPrefix(name, "vendor/")
	if err != nil || !ours {
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
