package protocol

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/markup"
)

func TestProtocolLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		"| the text of a message | "+apptest.Grouped(MaxText)+" characters |",
		"The text of a message has 1 to "+apptest.Grouped(MaxText)+" characters",
		fmt.Sprintf("| a topic | %d characters |", MaxTopic),
		fmt.Sprintf("It has at most %d characters", MaxTopic),
		fmt.Sprintf("`emoji` is a single emoji of at most %d bytes", markup.MaxEmoji),
		fmt.Sprintf("body of a request | %d KiB |", MaxFrame>>10),
		fmt.Sprintf("larger than %d KiB", MaxFrame>>10),
		fmt.Sprintf("entries (0 to %d, default %d; 0 is", MaxLast, DefaultLast),
		fmt.Sprintf("entries (0 to %d, default %d). `Accept`", MaxLast, DefaultLast),
		fmt.Sprintf("truncated to %d characters", MaxQuoted),
	)
}
