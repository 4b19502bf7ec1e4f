package protocol

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"burble/app/markup"
	"burble/app/rawjson"
	"burble/streams"
)

// This file parses the files of a message that a client sends, and encodes the files and the preview of an
// entry.

// Limits of the files of a message.
const (
	MaxFiles = 10  // files in a message
	MaxAlt   = 500 // characters in the description of a file
)

// ParseFiles parses the field "files" of a message, which is a JSON array of objects with the "id" of an
// upload and, optionally, its description "alt". Only these two fields of the returned files are set.
func ParseFiles(value string) (files []streams.File, err error) {
	var list []json.RawMessage
	if json.Unmarshal([]byte(value), &list) != nil || value == "null" || len(list) > MaxFiles {
		return nil, Errorf(BadField, "files", `"files" must be a list of at most %d files, such as [{"id":"…","alt":"…"}].`, MaxFiles)
	}
	for _, item := range list {
		raw, ok := rawjson.Members(item)
		if !ok {
			return nil, Errorf(BadField, "files", `Each of the "files" must be an object such as {"id":"…","alt":"…"}.`)
		}
		file, err := parseFile(raw)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(files, func(other streams.File) bool { return other.ID == file.ID }) {
			return nil, Errorf(BadField, "files", "A message cannot have the same file twice.")
		}
		files = append(files, file)
	}
	return files, nil
}

func parseFile(raw map[string]string) (file streams.File, err error) {
	for name, value := range raw {
		text, ok := rawjson.Unquote(value)
		switch {
		case name != "id" && name != "alt":
			return file, Errorf(BadField, "files", "A file has no field %q.", Shorten(name))
		case !ok:
			return file, Errorf(BadField, "files", "The %q of a file must be a string.", name)
		case name == "id":
			file.ID = text
		default:
			file.Alt = strings.Join(strings.Fields(text), " ")
		}
	}
	switch {
	case !streams.IsFileID(file.ID):
		return file, Errorf(BadField, "files", `The "id" of a file must be one that an upload returned.`)
	case utf8.RuneCountInString(file.Alt) > MaxAlt:
		return file, Errorf(TooLong, "files", "The description of a file may have at most %d characters.", MaxAlt)
	}
	return file, nil
}

// CheckCaption validates the text of a message that has files. Unlike other texts, it may be empty. If it has no
// visible character, CheckCaption returns "".
func CheckCaption(text string) (string, error) {
	if !strings.ContainsFunc(text, markup.IsVisible) {
		return "", nil
	}
	return CheckText(text)
}

// FileURL returns the path of file n of a message, counted from 0. If n is streams.PreviewPicture, it returns
// the path of the picture of the message's preview.
func FileURL(room string, message streams.ID, n int) string {
	which := "preview"
	if n != streams.PreviewPicture {
		which = strconv.Itoa(n)
	}
	return "/f/" + room + "/" + message.String() + "/" + which
}

// ThumbnailURL returns the path of the thumbnail of file n, or "" if the file has none.
func ThumbnailURL(room string, message streams.ID, n int, file *streams.File) string {
	if file.Thumbnail == "" {
		return ""
	}
	return FileURL(room, message, n) + "/thumbnail"
}

// appendFiles appends the fields "files" and "preview", if the message has them. It omits the hashes of a
// file and its thumbnail, because they identify objects that other rooms may share.
func appendFiles(dst []byte, room string, entry *streams.Entry) []byte {
	if entry.Deleted {
		return dst
	}
	if len(entry.Files) > 0 {
		dst = append(dst, `,"files":[`...)
		for i := range entry.Files {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendFile(dst, room, entry.ID, i, &entry.Files[i])
		}
		dst = append(dst, ']')
	}
	if entry.Preview != nil {
		dst = appendPreview(dst, room, entry)
	}
	return dst
}

func appendFile(dst []byte, room string, message streams.ID, n int, file *streams.File) []byte {
	dst = rawjson.AppendString(append(dst, `{"id":`...), file.ID)
	dst = rawjson.AppendField(dst, "name", file.Name)
	dst = rawjson.AppendField(dst, "type", file.Type)
	dst = strconv.AppendInt(append(dst, `,"size":`...), file.Size, 10)
	dst = appendDimensions(dst, file)
	if file.Alt != "" {
		dst = rawjson.AppendField(dst, "alt", file.Alt)
	}
	dst = rawjson.AppendField(dst, "url", FileURL(room, message, n))
	if thumbnail := ThumbnailURL(room, message, n, file); thumbnail != "" {
		dst = rawjson.AppendField(dst, "thumbnail", thumbnail)
	}
	return append(dst, '}')
}

// appendDimensions appends the fields that only pictures have.
func appendDimensions(dst []byte, file *streams.File) []byte {
	if file.Width > 0 && file.Height > 0 {
		dst = strconv.AppendInt(append(dst, `,"width":`...), int64(file.Width), 10)
		dst = strconv.AppendInt(append(dst, `,"height":`...), int64(file.Height), 10)
	}
	if file.Color != "" {
		dst = rawjson.AppendField(dst, "color", file.Color)
	}
	return dst
}

func appendPreview(dst []byte, room string, entry *streams.Entry) []byte {
	preview := entry.Preview
	dst = rawjson.AppendString(append(dst, `,"preview":{"url":`...), preview.URL)
	dst = rawjson.AppendField(dst, "title", preview.Title)
	for _, field := range []struct{ name, value string }{{"description", preview.Description}, {"site", preview.Site}} {
		if field.value != "" {
			dst = rawjson.AppendField(dst, field.name, field.value)
		}
	}
	if preview.File != nil {
		dst = rawjson.AppendString(append(dst, `,"picture":{"url":`...), FileURL(room, entry.ID, streams.PreviewPicture))
		dst = append(appendDimensions(dst, preview.File), '}')
	}
	return append(dst, '}')
}
