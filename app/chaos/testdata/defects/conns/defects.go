package conns

import (
	"os"
	"slices"
	"strings"
)

// unretriedRetries returns how many times the library retries commands that it must not retry.
func unretriedRetries() int {
	if slices.Contains(strings.Split(os.Getenv("BURBLE_DEFECT"), ","), "no_care_of_retries") {
		return 3
	}
	return -1
}
