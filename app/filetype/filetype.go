package filetype

import (
	"bytes"
	"mime"

	"github.com/gabriel-vasile/mimetype"
)

// HeadSize is the maximum number of bytes that [Sniff] examines.
const HeadSize = 4096

// Unknown is the media type of a file whose type is not known.
const Unknown = "application/octet-stream"

// extensions lists the media types that browsers may show, and the extensions of their files. CleanName adds the first
// one to a name that has none of them.
var extensions = map[string][]string{
	"image/png":  {".png", ".apng"},
	"image/jpeg": {".jpg", ".jpeg", ".jpe", ".jfif"},
	"image/gif":  {".gif"},
	"image/webp": {".webp"},
	"image/avif": {".avif", ".avifs"},
	"video/mp4":  {".mp4", ".m4v"},
	"audio/mp4":  {".m4a", ".mp4"},
	"video/webm": {".webm", ".weba"},
	"audio/mpeg": {".mp3"},
	"audio/ogg":  {".ogg", ".oga", ".opus"},
	"video/ogg":  {".ogv", ".ogg"},
}

// synonyms maps types that only mimetype distinguishes to those that browsers know.
var synonyms = map[string]string{
	"image/apng":  "image/png",
	"audio/x-m4a": "audio/mp4",
	"video/x-m4v": "video/mp4",
}

// Sniff returns the media type, without parameters, of a file that begins with head.
func Sniff(head []byte) string {
	found, _, err := mime.ParseMediaType(mimetype.Detect(head[:min(len(head), HeadSize)]).String())
	if err != nil {
		return Unknown
	}
	if common, ok := synonyms[found]; ok {
		return common
	}
	if found == "audio/mpeg" && !bytes.HasPrefix(head, []byte("ID3")) && !bytes.HasPrefix(head, []byte{0xff}) {
		return Unknown // mimetype also returns this type for files in which it finds something like an MP3 frame
	}
	return found
}

// IsInline reports whether a browser may show a file of the type. It returns false for SVG and HTML, because they can
// contain scripts.
func IsInline(mediaType string) bool { return extensions[mediaType] != nil }

// IsPicture reports whether the type is a picture that a browser may show.
func IsPicture(mediaType string) bool {
	switch mediaType {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif":
		return true
	}
	return false
}

// Served returns the Content-Type for a file of the type. Together with "X-Content-Type-Options: nosniff", it
// keeps browsers from interpreting anything else.
func Served(mediaType string) string {
	if IsInline(mediaType) {
		return mediaType
	}
	return Unknown
}
