package filetype

import (
	"fmt"
	"strings"
)

// Disposition returns the Content-Disposition (RFC 6266) for a file of the type. The name must come from CleanName.
func Disposition(mediaType, name string) string {
	disposition := "attachment"
	if IsInline(mediaType) {
		disposition = "inline"
	}
	return ContentDisposition(disposition, name)
}

// ContentDisposition returns a Content-Disposition header with the given disposition, such as "attachment", and file
// name. A name that is not plain ASCII appears twice: encoded (RFC 8187), and with "_" in place of characters that old
// clients would misread.
func ContentDisposition(disposition, name string) string {
	var plain, encoded strings.Builder
	for _, r := range name {
		// A percent sign is ASCII, but some clients decode it (RFC 6266, appendix D).
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%`, r) {
			r = '_'
		}
		plain.WriteRune(r)
	}
	value := fmt.Sprintf(`%s; filename="%s"`, disposition, plain.String())
	if plain.String() == name {
		return value
	}
	for _, b := range []byte(name) {
		if isAttrChar(b) {
			encoded.WriteByte(b)
		} else {
			fmt.Fprintf(&encoded, "%%%02X", b)
		}
	}
	return value + "; filename*=UTF-8''" + encoded.String()
}

// isAttrChar reports whether RFC 8187 allows the byte without encoding.
func isAttrChar(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("!#$&+-.^_`|~", b) >= 0
}
