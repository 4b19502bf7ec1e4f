package chat

import (
	"fmt"
	"testing"

	"burble/app/apptest"
)

func TestChatLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("together | %d characters |", MaxQuery),
		fmt.Sprintf("together they have at most %d characters", MaxQuery),
		fmt.Sprintf("ends after %d matches", searchMatches),
		fmt.Sprintf("at most %d for each word", maxHighlights),
		fmt.Sprintf("1 per user, %d per address, %d in all", searchesByAddress, searchesAtOnce),
		fmt.Sprintf("%s per second and address, after the first %s", apptest.Grouped(searchRate), apptest.Grouped(searchBurst)),
	)
}
