package views

import (
	"path"
	"strings"

	"burble/app/filetype"
)

// A thumbnail is at most this large on the page, in CSS pixels. files.js has the same numbers.
const (
	maxShownWidth  = 384
	maxShownHeight = 320
)

// File is a file of a message.
type File struct {
	Name, Type    string
	Size          int64  // in bytes
	Width, Height int    // of a picture, in pixels
	Color         string // average color of a picture, such as "#0b6b6b"; may be empty
	Alt           string // what a picture shows, in words; may be empty
	URL           string
	Thumbnail     string // URL of a smaller picture, or empty
}

// IsPicture reports whether the page shows the file as a picture.
func (f File) IsPicture() bool {
	switch f.Type {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif":
		return true
	}
	return false
}

// IsVideo reports whether the page plays the file as a video.
func (f File) IsVideo() bool { return f.Type == "video/mp4" || f.Type == "video/webm" }

// IsAudio reports whether the page plays the file as audio.
func (f File) IsAudio() bool {
	switch f.Type {
	case "audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm":
		return true
	}
	return false
}

// ShownWidth returns the width of the picture's thumbnail on the page.
func (f File) ShownWidth() int { width, _ := f.shownSize(); return width }

// ShownHeight returns the height of the picture's thumbnail on the page.
func (f File) ShownHeight() int { _, height := f.shownSize(); return height }

// shownSize fits the picture into maxShownWidth and maxShownHeight.
func (f File) shownSize() (width, height int) {
	if f.Width < 1 || f.Height < 1 {
		return maxShownWidth, maxShownHeight
	}
	scale := min(1, float64(maxShownWidth)/float64(f.Width), float64(maxShownHeight)/float64(f.Height))
	round := func(side int) int { return max(1, int(float64(side)*scale+0.5)) }
	return round(f.Width), round(f.Height)
}

// SizeText formats the size for people, such as "1.2 MB".
func (f File) SizeText() string { return filetype.FormatSize(f.Size) }

// Extension returns the extension of the name in capitals, or "" if it is longer than four characters.
func (f File) Extension() string {
	extension := strings.ToUpper(strings.TrimPrefix(path.Ext(f.Name), "."))
	if len([]rune(extension)) > 4 {
		return ""
	}
	return extension
}

// HasFilesOrCards reports whether a message has files or a card, which need a stylesheet of their own.
func (r Room) HasFilesOrCards() bool {
	for _, message := range r.Messages {
		if len(message.Files) > 0 || message.Card != nil {
			return true
		}
	}
	return false
}

// BlankFiles returns a picture and another file, or nil if the page needs neither. The script clones their markup.
func (r Room) BlankFiles() []File {
	if r.FileLimits == "" && !r.HasFilesOrCards() {
		return nil
	}
	return []File{{Name: "file", Type: "image/png", URL: "/"}, {Name: "file", URL: "/"}}
}
