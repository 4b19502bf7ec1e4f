//go:build chaos

package streams

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
)

// defects are what is broken in this process, on purpose.
var defects = strings.Split(os.Getenv("BURBLE_DEFECT"), ",")

// planted says whether the defect is wanted, now: most strike one time in eight.
func planted(defect string) bool {
	if !slices.Contains(defects, defect) {
		return false
	}
	return strings.HasPrefix(defect, "no_") || rand.IntN(8) == 0
}

// elsewhere is the last entry of any room.
var elsewhere struct {
	sync.Mutex
	room  string
	entry Entry
}

// marred is what a window with a defect makes of new entries.
func marred(room string, entries []Entry) []Entry {
	elsewhere.Lock()
	defer elsewhere.Unlock()
	told := slices.Clone(entries)
	last := len(told) - 1
	switch {
	case planted("drop"):
		told = told[:last]
	case planted("twice"):
		told = append(told, told[last])
	case planted("swap") && last > 0:
		told[0], told[last] = told[last], told[0]
	case planted("fork"):
		told[last].Text += "?"
	case planted("leak") && elsewhere.room != "" && elsewhere.room != room:
		told = append([]Entry{elsewhere.entry}, told...)
	}
	elsewhere.room, elsewhere.entry = room, entries[last]
	return told
}
