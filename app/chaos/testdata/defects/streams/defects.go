// Package streams with a file more: the defects of the servers that chaos must find out. See
// defects_test.go, which adds the file to a build.
package streams

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
)

// defects are the names of what is broken in this process.
var defects = strings.Split(os.Getenv("BURBLE_DEFECT"), ",")

// isBroken reports whether the defect strikes now. Most strike one time in eight.
func isBroken(defect string) bool {
	if !slices.Contains(defects, defect) {
		return false
	}
	return strings.HasPrefix(defect, "no_") || rand.IntN(8) == 0
}

// latest is the last entry of any room.
var latest struct {
	sync.Mutex
	room  string
	entry Entry
}

// withDefects returns what a broken window makes of new entries.
func withDefects(room string, entries []Entry) []Entry {
	latest.Lock()
	defer latest.Unlock()
	broken := slices.Clone(entries)
	last := len(broken) - 1
	switch {
	case isBroken("drop"):
		broken = broken[:last]
	case isBroken("twice"):
		broken = append(broken, broken[last])
	case isBroken("swap") && last > 0:
		broken[0], broken[last] = broken[last], broken[0]
	case isBroken("fork"):
		broken[last].Text += "?"
	case isBroken("leak") && latest.room != "" && latest.room != room:
		broken = append([]Entry{latest.entry}, broken...)
	}
	latest.room, latest.entry = room, entries[last]
	return broken
}
