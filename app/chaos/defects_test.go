//go:build unix

package chaos

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/chaos/check"
	"burble/streams/redistest"
)

// An edit makes a source file of Burble call one of the defects in testdata/defects. The file must
// contain the old text exactly once.
type edit struct{ file, old, new string }

var defectEdits = []edit{
	{"streams/append.go", "	room := granted.room\n", `	room := granted.room
	if isBroken("early_ack") {
		return Stored{Cursor: Cursor{ID: ID{Millis: uint64(time.Now().UnixMilli())}, Epoch: noEpoch}}, nil
	}
`},
	{"streams/append.go", "func (s *Store) appendKeys(room string, entry *Entry, uploads []string) []string {\n", `func (s *Store) appendKeys(room string, entry *Entry, uploads []string) []string {
	if isBroken("no_keys") {
		other := *entry
		entry, other.Key = &other, rand.Text()
	}
`},
	{"streams/window.go", "splitBatches(w.room, current.end, next.end, entries)", "splitBatches(w.room, current.end, next.end, withDefects(w.room, entries))"},
	{"streams/room_info.go", "stateAt(cursor Cursor) State {\n", `stateAt(cursor Cursor) State {
	if isBroken("no_checks") {
		return Resumed
	}
`},
	{"streams/room_info.go", "	end := current.end.ID\n	if found", `	end := current.end.ID
	if isBroken("no_checks") {
		return nil
	}
	if found`},
	{"streams/reader_redis.go", "r.lookUpMember(ctx, r.knownEnd(read, current))", "r.lookUpUnlessKnown(ctx, r.knownEnd(read, current))"},
	{"streams/members.go", "	s := a.store\n	ctx, cancel := context.WithTimeout(ctx, readTimeout)\n	defer cancel()\n	member, err", `	if _, ok := findKnownMember(granted); ok && isBroken("no_lookup") {
		return nil
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	member, err`},
	{"streams/members.go", "	return checkMember(member)\n}\n\n// queryMember", "	return s.checkAndKeepMember(ctx, granted, member)\n}\n\n// queryMember"},
	{"streams/watch.go", "			t.watcher.Changed(entry.ID, entry.Values)\n", `			if !isBroken("no_access") {
				t.watcher.Changed(entry.ID, entry.Values)
			}
`},
	{"streams/conns/conns.go", "newClient(options, maxUnretried, noRetries)", "newClient(options, maxUnretried, unretriedRetries())"},
	{"streams/conns/conns.go", "newClient(options, max(1, options.Blocking), noRetries)", "newClient(options, max(1, options.Blocking), unretriedRetries())"},
}

// defectFiles maps the files to add to Burble's packages to their sources.
var defectFiles = map[string]string{
	"streams/defects.go":       "testdata/defects/streams/defects.go",
	"streams/conns/defects.go": "testdata/defects/conns/defects.go",
}

// writeDefects writes the edited files, and a list of them for go build -overlay. The resulting
// Burble has the defects that the environment variable BURBLE_DEFECT names.
func writeDefects(t *testing.T) (overlay string) {
	t.Helper()
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	at := func(file string) string { return filepath.Join(strings.TrimSpace(string(root)), file) }
	sources := make(map[string]string)
	for _, e := range defectEdits {
		if sources[e.file] == "" {
			source, err := os.ReadFile(at(e.file))
			if err != nil {
				t.Fatal(err)
			}
			sources[e.file] = string(source)
		}
		if count := strings.Count(sources[e.file], e.old); count != 1 {
			t.Fatalf("%s contains the text to edit %d times, want once; adapt the edit to the source:\n%s", e.file, count, e.old)
		}
		sources[e.file] = strings.Replace(sources[e.file], e.old, e.new, 1)
	}
	folder, replace := t.TempDir(), make(map[string]string)
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for file, source := range sources {
		replace[at(file)] = write(strings.ReplaceAll(file, "/", "-"), source)
	}
	for file, source := range defectFiles {
		if replace[at(file)], err = filepath.Abs(source); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	return write("overlay.json", string(list))
}

// This tests the harness itself. The defects whose names start with no_ each remove one of the server's
// safeguards.
func TestHarnessFindsDefects(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	program := build(t, "-overlay", writeDefects(t))
	for defect, found := range map[string]struct {
		flaws  []check.Flaw
		faults string // faults that reveal the defect
	}{
		"drop":                                 {[]check.Flaw{check.SilentGap}, "none"},
		"twice":                                {[]check.Flaw{check.Repeated}, "none"},
		"swap":                                 {[]check.Flaw{check.Reordered}, "none"},
		"fork":                                 {[]check.Flaw{check.Conflict}, "none"},
		"leak":                                 {[]check.Flaw{check.Leaked}, "none"},
		"early_ack":                            {[]check.Flaw{check.Lost}, "none"},
		"no_checks":                            {[]check.Flaw{check.SilentGap}, "room"},
		"no_keys":                              {[]check.Flaw{check.Repeated}, "cut before replies"},
		"no_order":                             {[]check.Flaw{check.Trespass}, "none"}, // membership read before entries
		"no_lookup":                            {[]check.Flaw{check.Trespass}, "none"}, // a stale cache of members
		"no_access":                            {[]check.Flaw{check.LateEnd}, "none"},  // changes of accounts are lost
		"no_keys,no_care_of_retries,no_checks": {[]check.Flaw{check.Repeated, check.SilentGap}, "e"},
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, options{
				redis: "single", durability: "memory", servers: 2, pause: 100, patience: 3 * time.Second,
				program: program, env: []string{"BURBLE_DEFECT=" + defect},
			})
			if left := h.searchFor(found.flaws, found.faults); len(left) > 0 {
				t.Errorf("the checker did not find %v", left)
			}
		})
	}
}

// searchFor injects faults with one seed after another, for a second at first and then for longer, until it has found all of
// the flaws. It returns the flaws that it has not found. On a busy machine, a defect may have no effect for several seconds.
func (h *harness) searchFor(flaws []check.Flaw, faults string) []check.Flaw {
	length := time.Second
	for h.options.seed = 1; len(flaws) > 0 && h.options.seed <= 15; h.options.seed++ {
		o := h.runPhase(false, func(p *phase) { p.inject(length, h.faultsWith(faults)) })
		(&report{out: io.Discard}).printPhase("searching", o)
		flaws = slices.DeleteFunc(flaws, func(flaw check.Flaw) bool { return o.Count(flaw) > 0 })
		length = min(2*length, 4*time.Second)
	}
	return flaws
}

func TestReleaseHasNoDefects(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	hooks := []string{"BURBLE_DEFECT", "streams.withDefects", "streams.isBroken", "streams.know", "conns.unretriedRetries"}
	for name, test := range map[string]struct {
		args []string
		want bool
	}{
		"release": {nil, false}, "with defects": {[]string{"-overlay", writeDefects(t)}, true},
	} {
		program, err := os.ReadFile(build(t, test.args...))
		if err != nil {
			t.Fatal(err)
		}
		for _, hook := range hooks {
			if bytes.Contains(program, []byte(hook)) != test.want {
				t.Errorf("%s: contains %s is %v, want %v", name, hook, !test.want, test.want)
			}
		}
	}
}
