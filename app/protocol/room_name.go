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
	// transliteratedMarks removes marks that stand for letters, as in "bol'shoi", and do not separate words.
	transliteratedMarks = strings.NewReplacer("'", "", `"`, "", "`", "")
)

// RoomName returns the name of the room that a person means by the given text. A valid name is returned
// unchanged. Everything else is transliterated to ASCII, in lower case and with hyphens between words: "Café
// Müller" becomes "cafe-muller". If the result is not a valid name, for example because the text is an
// emoji, RoomName returns the error from CheckRoom.
func RoomName(text string) (string, error) {
	if streams.CheckRoom(text) == nil {
		return text, nil
	}
	name := strings.ToLower(unidecode.Unidecode(norm.NFKC.String(text)))
	name = notInRoomName.ReplaceAllString(transliteratedMarks.Replace(name), " ")
	name = strings.TrimRight(strings.TrimLeft(name, " -_"), " ")
	return CheckRoom(strings.ReplaceAll(name, " ", "-"))
}
