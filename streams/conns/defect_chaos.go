//go:build chaos

package conns

import (
	"os"
	"slices"
	"strings"
)

// planted reports whether the defect is wanted.
func planted(defect string) bool {
	return slices.Contains(strings.Split(os.Getenv("BURBLE_DEFECT"), ","), defect)
}
