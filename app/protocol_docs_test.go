package main

import (
	"burble/app/apptest"
	"burble/app/markup"
	"fmt"
	"testing"
)

func TestProtocolLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		"| a text | "+apptest.Grouped(textLimit)+" characters |",
		"A text has 1 to "+apptest.Grouped(textLimit)+" characters",
		fmt.Sprintf("| a topic | %d characters |", topicLimit),
		fmt.Sprintf("It has at most %d characters", topicLimit),
		fmt.Sprintf("`emoji` is a single emoji of at most %d bytes", markup.EmojiLimit),
		fmt.Sprintf("body of a request | %d KiB |", frameLimit>>10),
		fmt.Sprintf("larger than %d KiB", frameLimit>>10),
		fmt.Sprintf("entries (0 to %d, default %d; 0 is", newestMost, newestElse),
		fmt.Sprintf("entries (0 to %d, default %d). `Accept`", newestMost, newestElse),
		fmt.Sprintf("1 to %d messages, default %d", newestMost, pageOf),
		fmt.Sprintf("cut after %d characters", clipMost),
	)
}
