package identity

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// MaxName is the maximum length of a name, in characters after normalization.
const MaxName = 40

// cleanName normalizes a name with the Nickname profile of RFC 8266, so that most names that look
// alike become equal. The profile folds compatibility forms, collapses each run of white space to one
// space, and trims both ends. The error is worded for the person who chose the name.
func cleanName(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", errors.New("a name must be UTF-8 text")
	}
	if len(name) > 100*MaxName {
		return "", errNameTooLong // normalizing a megabyte would be slow
	}
	// Phones append these invisible variation selectors to emoji. The profile would refuse them.
	name = strings.NewReplacer("\uFE0E", "", "\uFE0F", "").Replace(name)
	if strings.TrimFunc(name, unicode.IsSpace) == "" {
		return "", errors.New("a name must not be empty")
	}
	if r, found := findInvisible(name); found {
		return "", fmt.Errorf("a name must not contain the invisible character %U", r)
	}
	parts := splitEmoji(name)
	for i, part := range parts {
		var err error
		if parts[i], err = precis.Nickname.String(part); err != nil {
			return "", errors.New("a name must not contain characters that are invisible, unassigned or misplaced")
		}
	}
	nickname := strings.Join(parts, joiner)
	if r, found := findInvisible(nickname); found {
		return "", fmt.Errorf("a name must not contain the invisible character %U", r)
	}
	if !strings.ContainsFunc(nickname, isVisible) {
		return "", errors.New("a name must contain a visible character")
	}
	if hasStackedMarks(nickname) {
		return "", errors.New("a name must not stack more than three marks on one letter")
	}
	if utf8.RuneCountInString(nickname) > MaxName {
		return "", errNameTooLong
	}
	return nickname, nil
}

var errNameTooLong = fmt.Errorf("a name must be at most %d characters long", MaxName)

// joiner is the zero-width joiner. Like the non-joiner U+200C, it changes how letters of some scripts are
// drawn, which the profile checks. It also joins several emoji into one, as in 👩‍💻, which the profile
// refuses.
const joiner = "\u200d"

// emoji are the Unicode blocks of emoji that can be joined.
var emoji = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2190, Hi: 0x21ff, Stride: 1}, {Lo: 0x2600, Hi: 0x27bf, Stride: 1}, {Lo: 0x2b00, Hi: 0x2bff, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x1f300, Hi: 0x1faff, Stride: 1}},
}

// splitEmoji splits a name at the joiners between emoji.
func splitEmoji(name string) (parts []string) {
	for at := 0; ; {
		i := strings.Index(name[at:], joiner)
		if i < 0 {
			return append(parts, name)
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(name[:at])
		after, _ := utf8.DecodeRuneInString(name[at+len(joiner):])
		if unicode.Is(emoji, before) && unicode.Is(emoji, after) {
			parts, name, at = append(parts, name[:at]), name[at+len(joiner):], 0
		} else {
			at += len(joiner)
		}
	}
}

// findInvisible returns the first character that is not drawn or changes how other characters are
// drawn: control, zero-width, private-use and unassigned characters, and bidirectional overrides
// (CVE-2021-42574). The profile also refuses nearly all of them, but this check names the character
// and does not depend on the Unicode version of the profile's tables. It ignores a joiner
// after any character from the Arabic block (U+0600) onward. All characters that may be joined are there.
func findInvisible(text string) (rune, bool) {
	before := rune(0)
	for _, r := range text {
		isJoiner := (r == '\u200c' || r == '\u200d') && before >= 0x600
		before = r
		if !unicode.IsGraphic(r) && !isJoiner || r == '\u2800' /* a Braille pattern without dots */ {
			return r, true
		}
	}
	return 0, false
}

// hasStackedMarks reports whether any letter has more than three combining marks. Hebrew uses up to
// three, and no language uses more. A taller stack would be drawn over the text around the name.
func hasStackedMarks(name string) bool {
	marks := 0
	for _, r := range name {
		if marks++; !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		}
		if marks > 3 {
			return true
		}
	}
	return false
}

// isVisible reports whether r is drawn on its own, unlike a space or a combining accent.
func isVisible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
}
