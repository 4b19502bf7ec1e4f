package protocol

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/markup"
	"burble/streams"
)

func TestProtocolLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		"| the text of a message | "+apptest.Grouped(MaxText)+" characters |",
		"The text of a message has 1 to "+apptest.Grouped(MaxText)+" characters",
		fmt.Sprintf("A message may have up to %d `files`", MaxFiles),
		fmt.Sprintf("| files of a message | %d |", MaxFiles),
		fmt.Sprintf("`files` are up to %d uploads", MaxFiles),
		fmt.Sprintf("| the `alt` of a file | %d characters |", MaxAlt),
		fmt.Sprintf("`alt` of at most %d characters", MaxAlt),
		fmt.Sprintf("once, within %d hours", streams.UploadTTL/time.Hour),
		fmt.Sprintf("| a topic | %d characters |", MaxTopic),
		fmt.Sprintf("It has at most %d characters", MaxTopic),
		fmt.Sprintf("| the title of a room | %d characters |", MaxTitle),
		fmt.Sprintf("| the reason for a change of a member | %d characters |", MaxReason),
		fmt.Sprintf("| members of a new private room | %d, and", MaxMembers),
		fmt.Sprintf("the same 2 to %d people", streams.MaxDirect),
		fmt.Sprintf("`emoji` is a single emoji of at most %d bytes", markup.MaxEmoji),
		fmt.Sprintf("body of a request | %d KiB |", MaxFrame>>10),
		fmt.Sprintf("larger than %d KiB", MaxFrame>>10),
		fmt.Sprintf("entries (0 to %d, default %d; 0 is", MaxLast, DefaultLast),
		fmt.Sprintf("entries (0 to %d, default %d). `Accept`", MaxLast, DefaultLast),
		fmt.Sprintf("truncated to %d characters", MaxQuoted),
	)
}
