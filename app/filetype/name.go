package filetype

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MaxName is the maximum length of a name in bytes.
	MaxName = 120
	// maxExtension is the maximum length of an extension that survives when a long name is cut.
	maxExtension = 12
)

// CleanName makes a name from a client safe to show and to save. It drops everything up to the last slash or backslash,
// removes control characters and those that change the direction of text, and replaces characters that Windows does not
// allow. If the type is inline, CleanName ensures that the name has an extension of the type. The result is valid UTF-8
// of 1 to MaxName bytes.
func CleanName(name, mediaType string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = norm.NFC.String(strings.Map(cleanRune, name))
	name = strings.TrimLeft(strings.TrimSpace(name), ". ")
	name = strings.TrimRight(name, ". ")
	extension := extensionOf(name)
	base := strings.TrimRight(strings.TrimSuffix(name, extension), ". ")
	if known := extensions[mediaType]; known != nil && !slices.Contains(known, strings.ToLower(extension)) {
		base, extension = name, known[0]
	}
	if base == "" {
		base = "file"
	}
	if isDevice(base) {
		base = "_" + base
	}
	return strings.TrimRight(cut(base, MaxName-len(extension)), ". ") + extension
}

// cleanRune returns the replacement for a character, or -1, for strings.Map.
func cleanRune(r rune) rune {
	switch {
	case r == utf8.RuneError, strings.ContainsRune(`<>:"|?*`, r):
		return '_'
	case unicode.In(r, unicode.Zl, unicode.Zp, unicode.Zs):
		return ' '
	case r == '\u200c', r == '\u200d': // joiners, which emoji and some scripts need
		return r
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Noncharacter_Code_Point, unicode.Other_Default_Ignorable_Code_Point):
		return -1
	}
	return r
}

// extensionOf returns the extension with its dot, or "" if nothing after the last dot looks like an extension.
func extensionOf(name string) string {
	extension := path.Ext(name)
	if len(extension) < 2 || len(extension) > maxExtension {
		return ""
	}
	for _, r := range extension[1:] {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return ""
		}
	}
	return extension
}

// isDevice reports whether Windows would open a device instead of a file with the name.
func isDevice(base string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(base), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	digit, found := strings.CutPrefix(stem, "COM")
	if !found {
		digit, found = strings.CutPrefix(stem, "LPT")
	}
	return found && utf8.RuneCountInString(digit) == 1 && strings.Contains("0123456789¹²³", digit)
}

// cut shortens the text to at most size bytes, without separating a letter from its accents.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for !utf8.RuneStart(text[size]) {
		size--
	}
	shorter := size
	for shorter > size/2 {
		if next, _ := utf8.DecodeRuneInString(text[shorter:]); !unicode.IsMark(next) {
			return text[:shorter]
		}
		_, last := utf8.DecodeLastRuneInString(text[:shorter])
		shorter -= last
	}
	return text[:size] // more accents than any language has
}
