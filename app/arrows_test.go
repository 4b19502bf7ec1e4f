package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// arrows maps each package to the packages of this module that it may import. Tests may import more.
var arrows = map[string]string{
	"app":            "accounts accounts/oidc attachments blobs caller chat fetch httpguard identity live localredis peer people pictures previews protocol redisurl streams streams/conns tune web",
	"app/tune":       "",
	"app/redisurl":   "streams/conns",
	"app/localredis": "",
	"app/httpguard":  "",
	"app/negotiate":  "",
	"app/files":      "negotiate views",
	"app/identity":   "",
	"app/limit":      "",
	"app/peer":       "",
	"app/ws":         "",
	"app/client":     "",
	"app/rawjson":    "",
	"app/markup":     "streams streams/fold",
	"app/protocol":   "markup rawjson streams",
	"app/plaintext":  "filetype protocol streams",
	"app/live":       "plaintext protocol ws streams",
	"app/presence":   "streams",
	"app/chat":       "lease markup presence protocol identity limit streams streams/fold",
	"app/request":    "protocol streams",
	"app/caller":     "accounts identity negotiate peer protocol",
	"app/signin":     "accounts accounts/oidc accounts/passkeys caller chat identity negotiate peer protocol request streams views",
	"app/people":     "accounts accounts/passkeys caller chat identity negotiate plaintext protocol request streams views",
	"app/socket":     "chat live previews ws protocol limit identity streams",
	"app/throttle":   "limit markup peer protocol streams",
	"app/manage":     "caller chat identity negotiate protocol rawjson request streams views",
	"app/pages":      "caller chat identity markup negotiate peer plaintext protocol request streams streams/fold throttle views",
	"app/web":        "pages accounts accounts/oidc accounts/passkeys attachments uploads manage people signin caller socket chat files httpguard negotiate live plaintext previews request throttle ws protocol markup identity limit peer streams streams/fold views",
	"streams":        "streams/conns streams/fold",
	"streams/fold":   "",
	"streams/conns":  "",
	"views":          "filetype",

	"app/accounts":          "accounts/verdicts identity streams/conns",
	"app/accounts/verdicts": "identity",
	"app/accounts/passkeys": "accounts identity",
	"app/accounts/oidc":     "accounts identity peer",

	"app/blobs":           "",
	"app/pictures":        "",
	"app/filetype":        "",
	"app/fetch":           "",
	"app/previews":        "caller fetch identity markup pictures protocol request streams",
	"app/fetch/fetchtest": "fetch",
	"app/lease":           "streams/conns",

	"app/attachments": "blobs filetype identity lease pictures protocol streams streams/conns",
	"app/uploads":     "attachments blobs caller chat httpguard limit protocol request streams",

	// Generates a table for the page.
	"views/confusables": "",

	// Tests and their helpers.
	"app/blobs/blobtest": "blobs",
	"app/apptest":        "client streams/redistest", "app/browser": "", "app/chaos": "accounts apptest chaos/bots chaos/check client identity streams streams/conns streams/redistest", "app/chaos/check": "client", "app/chaos/bots": "chaos/check client", "app/e2e": "",
	"app/hostile": "", "streams/redistest": "streams streams/conns",

	// The bench.
	"app/bench":        "bench/load bench/peers bench/proc bench/report bench/target bench/wire streams streams/conns",
	"app/bench/target": "accounts bench/load bench/peers bench/proc bench/wire identity streams streams/conns",
	"app/bench/report": "bench/load bench/proc",
	"app/bench/peers":  "bench/load bench/wire",
	"app/bench/load":   "bench/wire",
	"app/bench/proc":   "streams/conns",
	"app/bench/wire":   "",
}

func TestImportsFollowArrows(t *testing.T) {
	t.Parallel()
	list, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "burble/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		imports := strings.Fields(line)
		name := strings.TrimPrefix(imports[0], "burble/")
		allowed, known := arrows[name]
		if !known {
			t.Errorf("package %s is missing from arrows", name)
			continue
		}
		for _, imported := range imports[1:] {
			short, ours := strings.CutPrefix(imported, "burble/")
			if short = strings.TrimPrefix(short, "app/"); ours && !slices.Contains(strings.Fields(allowed), short) {
				t.Errorf("package %s must not import %s", name, short)
			}
		}
	}
}

// Only package conns may open clients of go-redis. It limits the connections of a server, and every package that sees the
// type of such a client takes two seconds longer to compile.
func TestOnlyConnsOpensRedisClients(t *testing.T) {
	t.Parallel()
	client := regexp.MustCompile(`\bredis\.(New\w*Client|\w*Client|\w*Options|ParseURL)\b`)
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasPrefix(path, "streams/conns/") || strings.HasPrefix(path, "app/bench/peers/") {
			return err
		}
		text, err := os.ReadFile("../" + path)
		if !bytes.Contains(text, []byte(`"github.com/redis/go-redis/v9"`)) {
			return err
		}
		for line := range bytes.Lines(text) {
			code, _, _ := bytes.Cut(line, []byte("//"))
			if found := client.Find(code); found != nil {
				t.Errorf("%s uses %s, want it to use package conns", path, found)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Only package main, which opens the Store, and package chat may use it. All other packages of the program
// must access rooms through package chat, and therefore through streams.Access.
func TestOnlyChatUsesStore(t *testing.T) {
	t.Parallel()
	list, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Dir}}", "burble/app").Output()
	if err != nil {
		t.Fatal(err)
	}
	store := regexp.MustCompile(`\bstreams\.(Store|Open)\b`)
	for line := range strings.Lines(string(list)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, "burble/app/") || name == "burble/app/chat" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("package %s: got %d files, want at least one: %v", name, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") && store.Match(text) {
				t.Errorf("%s must not use streams.Store", file)
			}
		}
	}
}
