package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// guestNameMax is the longest name, in characters after normalising.
const guestNameMax = 40

// newGuestName returns a name as it is shown and kept: normalised by the Nickname
// profile of RFC 8266 (compatibility forms folded, spaces of all kinds made one, none
// at the ends), so that names that look the same are mostly the same. The error is fit
// for the person who chose the name.
func newGuestName(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", errors.New("a name must be text in UTF-8")
	}
	if len(name) > 100*guestNameMax {
		return "", errNameTooLong // before working on it
	}
	// Phones put these behind emoji. They draw nothing themselves, and the profile
	// would refuse them with the rest of what is invisible.
	name = strings.NewReplacer("\uFE0E", "", "\uFE0F", "").Replace(name)
	if strings.TrimFunc(name, unicode.IsSpace) == "" {
		return "", errors.New("a name must not be empty")
	}
	if r, found := unshowable(name); found {
		return "", fmt.Errorf("a name must not hold the invisible character %U", r)
	}
	nickname, err := precis.Nickname.String(name)
	if err != nil {
		return "", errors.New("a name must not hold characters that are invisible, unassigned or misplaced")
	}
	if r, found := unshowable(nickname); found {
		return "", fmt.Errorf("a name must not hold the invisible character %U", r)
	}
	if !strings.ContainsFunc(nickname, isVisible) {
		return "", errors.New("a name must hold something that can be seen")
	}
	if isPile(nickname) {
		return "", errors.New("a name must not pile marks onto a letter")
	}
	if utf8.RuneCountInString(nickname) > guestNameMax {
		return "", errNameTooLong
	}
	return nickname, nil
}

var errNameTooLong = fmt.Errorf("a name must be at most %d characters long", guestNameMax)

// unshowable finds a character that would be drawn as nothing, or change how others
// are drawn: controls, turns of direction (CVE-2021-42574 shows what those do),
// zero-width ones, private and unassigned ones. The profile refuses nearly all of
// them; this says which it was, and holds whatever the profile's tables come to say.
func unshowable(text string) (rune, bool) {
	for _, r := range text {
		if !unicode.IsGraphic(r) || r == '\u2800' /* a Braille pattern without dots */ {
			return r, true
		}
	}
	return 0, false
}

// isPile says whether a letter has more marks above and below it than any language
// puts there (three, as in Hebrew): they would be drawn over what is around the name.
func isPile(name string) bool {
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

// isVisible is true of what leaves a mark by itself, unlike a space or an accent.
func isVisible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
}
