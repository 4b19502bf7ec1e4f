package peer

import "strings"

// LocalPath returns next if it is a path of this site, or else "/". Browsers treat a backslash as a
// slash, and drop tabs and line breaks.
func LocalPath(next string) string {
	isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsRune(next, '\\') ||
		strings.ContainsFunc(next, isControl) {
		return "/"
	}
	return next
}
