package main

import (
	"cmp"
	"runtime/debug"
)

// linkedVersion is set by go build -ldflags "-X main.linkedVersion=…" for builds outside a repository, as
// in the Dockerfile, where Go cannot determine the version.
var linkedVersion string

// commitVariables are set by hosts that build the program from a commit.
var commitVariables = []string{"HEROKU_BUILD_COMMIT", "HEROKU_SLUG_COMMIT", "RENDER_GIT_COMMIT", "RAILWAY_GIT_COMMIT_SHA", "FLY_IMAGE_REF", "K_REVISION"}

// version returns the version of the program, or "unknown".
func version(getenv func(string) string) string {
	found := linkedVersion
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
		found = cmp.Or(found, info.Main.Version)
	}
	for _, name := range commitVariables {
		found = cmp.Or(found, getenv(name))
	}
	return cmp.Or(found, "unknown")
}
