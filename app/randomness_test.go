package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// predictable maps each file that may use predictable randomness to the purpose.
var predictable = map[string]string{
	"app/client/bot.go":                 "when to retry, and at which server",
	"app/live/lines.go":                 "when a refused EventSource retries",
	"app/live/registry.go":              "the order in which a draining server closes its feeds",
	"streams/reader.go":                 "when to retry",
	"streams/tail.go":                   "when to retry",
	"views/static/js/net/connection.js": "when to reconnect",
}

// IDs, keys, epochs and secrets must come from crypto/rand.
func TestNoPredictableRandomness(t *testing.T) {
	t.Parallel()
	random := regexp.MustCompile(`math/rand|[Mm]ath\.random|uuid\.(SetRand|NewUUID|EnableRandPool)`)
	for _, dir := range []string{"app", "streams", "views"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && slices.Contains([]string{"redistest", "bench", "chaos", "testdata", "node_modules"}, entry.Name()) {
				return fs.SkipDir
			}
			name := strings.TrimPrefix(filepath.ToSlash(path), "../")
			isSource := slices.Contains([]string{".go", ".lua", ".js"}, filepath.Ext(name)) && !strings.Contains(name, "test.")
			if entry.IsDir() || !isSource || predictable[name] != "" {
				return nil
			}
			text, err := os.ReadFile(path)
			if random.Match(text) {
				t.Errorf("%s uses predictable randomness", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
