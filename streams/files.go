package streams

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// ErrNoFile means that a message has a file that its author has not uploaded to the room, has already sent, or has not sent
// within UploadTTL.
var ErrNoFile = errors.New("no such upload")

// File is an uploaded file. Append reads only its ID and Alt, and takes the other fields from the record that AddFile
// stored.
type File struct {
	ID            string `json:"id"` // from crypto/rand.Text: 26 characters from A-Z and 2-7
	Name          string `json:"name"`
	Type          string `json:"type"`            // the media type
	Size          int64  `json:"size"`            // in bytes
	Width         int    `json:"width,omitempty"` // in pixels; 0 unless it is a picture
	Height        int    `json:"height,omitempty"`
	Color         string `json:"color,omitempty"`     // average, as "#rrggbb"; may be empty
	Alt           string `json:"alt,omitempty"`       // a description for people who cannot see it
	Hash          string `json:"hash"`                // of its object
	Thumbnail     string `json:"thumbnail,omitempty"` // the hash of a smaller picture; may be empty
	ThumbnailType string `json:"thumbnail_type,omitempty"`
}

// Preview is the card of a page that a message links to.
type Preview struct {
	URL         string `json:"url"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Site        string `json:"site,omitempty"`
	File        *File  `json:"file,omitempty"` // a picture; nil if there is none. Append reads only its ID
}

// fileIDSize is the length of the IDs that crypto/rand.Text returns.
const fileIDSize = 26

// IsFileID reports whether the text has the form of a file's ID.
func IsFileID(text string) bool {
	return len(text) == fileIDSize && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// uploads returns the IDs of the uploads that append.lua attaches to the entry. The last one is the picture of the preview,
// if there is one. It returns ErrNoFile if an ID is invalid or occurs twice.
func (e *Entry) uploads() (ids []string, err error) {
	if len(e.Files) == 0 && (e.Preview == nil || e.Preview.File == nil) || e.Kind != Message {
		return nil, nil
	}
	for _, file := range e.Files {
		ids = append(ids, file.ID)
	}
	if e.Preview != nil && e.Preview.File != nil {
		ids = append(ids, e.Preview.File.ID)
	}
	for i, id := range ids {
		if !IsFileID(id) || slices.Contains(ids[:i], id) {
			return nil, ErrNoFile
		}
	}
	return ids, nil
}

// attachedBytes estimates how many bytes the entry's files and preview take in memory and in a frame.
func (e *Entry) attachedBytes() (bytes int) {
	for i := range e.Files {
		bytes += e.Files[i].bytes()
	}
	if e.Preview != nil {
		bytes += 200 + len(e.Preview.URL) + len(e.Preview.Title) + len(e.Preview.Description) + len(e.Preview.Site)
		if e.Preview.File != nil {
			bytes += e.Preview.File.bytes()
		}
	}
	return bytes
}

func (f *File) bytes() int {
	return 400 + len(f.Name) + len(f.Type) + len(f.Alt) + len(f.Hash) + len(f.Thumbnail)
}

// filesField is the field with the files of a message. Append passes only their Alt texts, and append.lua replaces these
// with the files. set ignores a list that another program has damaged, so that clients still receive the text.
var filesField = storedField{
	name: "files", isOptional: true,
	get: func(entry *Entry) string {
		if len(entry.Files) == 0 {
			return ""
		}
		alts := make([]string, len(entry.Files))
		for i := range entry.Files {
			alts[i] = entry.Files[i].Alt
		}
		return encodeJSON(alts)
	},
	set: func(entry *Entry, value string) error {
		var files []File
		isDamaged := func(file File) bool { return !IsFileID(file.ID) }
		if json.Unmarshal([]byte(value), &files) == nil && !slices.ContainsFunc(files, isDamaged) {
			entry.Files = files
		}
		return nil
	},
}

// previewField is the field with the preview of a message. Append passes the preview without its picture, and append.lua
// adds the picture.
var previewField = storedField{
	name: "preview", isOptional: true,
	get: func(entry *Entry) string {
		if entry.Preview == nil {
			return ""
		}
		card := *entry.Preview
		card.File = nil
		return encodeJSON(card)
	},
	set: func(entry *Entry, value string) error {
		var preview Preview
		if json.Unmarshal([]byte(value), &preview) == nil && preview.URL != "" {
			entry.Preview = &preview
		}
		return nil
	},
}

// encodeJSON encodes a value that consists of strings and numbers, so the encoding cannot fail.
func encodeJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
