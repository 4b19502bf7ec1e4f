package streams

import (
	"embed"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// The scripts that Redis runs. Each file begins with its KEYS, ARGV and reply.
var (
	appendScript      = script("lib", "rights", "reactions", "trim", "append")
	uploadScript      = script("lib", "rights", "upload")
	dueFilesScript    = script("lib", "due_files")
	claimFileScript   = script("lib", "claim_file")
	createRoomScript  = script("lib", "rights", "create_room")
	deleteRoomScript  = script("lib", "rights", "delete_room")
	retainScript      = script("lib", "reactions", "trim", "retain")
	detectTrimScript  = script("lib", "detect_trim")
	pageScript        = script("lib", "rights", "page")
	unreadScript      = script("lib", "rights", "unread")
	markReadScript    = script("lib", "mark_read")
	signalScript      = script("lib", "rights", "signal")
	presenceScript    = script("presence")
	heartbeatScript   = script("lib", "heartbeat")
	deadServersScript = script("lib", "dead_servers")
)

// script concatenates files from the folder lua into one script.
func script(names ...string) *redis.Script {
	var all strings.Builder
	for _, name := range names {
		text, err := luaFiles.ReadFile("lua/" + name + ".lua")
		if err != nil {
			panic(err) // a name above is wrong
		}
		all.Write(text)
	}
	return redis.NewScript(all.String())
}
