package protocol

import (
	"regexp"
	"strings"

	"burble/streams"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

var (
	// notInRoomName matches characters that a room name must not contain, and the hyphens around them.
	notInRoomName = regexp.MustCompile(`-*[^a-z0-9_-][^a-z0-9_]*`)
	// transliteratedMarks are marks that stand for letters, such as in "bol'shoi". They separate no words.
	transliteratedMarks = strings.NewReplacer("'", "", `"`, "", "`", "")
)

// RoomName returns the name of the room that a person means by the given text. A valid name is returned
// unchanged. Everything else is transliterated to ASCII, in lower case and with hyphens between words: "Café
// Müller" becomes "cafe-muller". The error is that of CheckRoom, for example because an emoji leaves
// nothing.
func RoomName(text string) (string, error) {
	if streams.CheckRoom(text) == nil {
		return text, nil
	}
	name := strings.ToLower(unidecode.Unidecode(norm.NFKC.String(text)))
	name = notInRoomName.ReplaceAllString(transliteratedMarks.Replace(name), " ")
	name = strings.TrimRight(strings.TrimLeft(name, " -_"), " ")
	return CheckRoom(strings.ReplaceAll(name, " ", "-"))
}
