// Package streams contains this additional file in servers with defects, which chaos must detect.
// defects_test.go adds it to the build.
package streams

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
)

// defects lists the names of the defects of this process.
var defects = strings.Split(os.Getenv("BURBLE_DEFECT"), ",")

// isBroken reports whether the process has the defect. For most defects, it returns true only one
// time in eight.
func isBroken(defect string) bool {
	if !slices.Contains(defects, defect) {
		return false
	}
	return strings.HasPrefix(defect, "no_") || rand.IntN(8) == 0
}

// latest is the last entry that was published, in any room.
var latest struct {
	sync.Mutex
	room  string
	entry Entry
}

// withDefects returns the entries with the effects of the defects.
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
