package filetype

import "fmt"

// FormatSize formats a number of bytes for people, such as "1.2 MB".
func FormatSize(bytes int64) string {
	size, unit := float64(bytes), "bytes"
	for _, larger := range []string{"KB", "MB", "GB"} {
		if size < 1000 {
			break
		}
		size, unit = size/1024, larger
	}
	if unit == "bytes" || size >= 9.95 {
		return fmt.Sprintf("%.0f %s", size, unit)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
