package previews

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/fetch"
	"burble/app/pictures"
)

func TestPreviewLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("valid for %d hour", TokenLifetime/time.Hour),
		fmt.Sprintf("within %d s, or has more than 3 redirects", failureTime/time.Second),
		fmt.Sprintf("only the first %d KiB", fetch.PageSize>>10),
		fmt.Sprintf("at most %d pixels in each direction", pictures.ThumbnailSide),
	)
	apptest.ExpectDoc(t, "THREATS.md",
		fmt.Sprintf("at least the %d s", failureTime/time.Second),
		fmt.Sprintf("%d MiB and 3 s for its picture", maxPicture>>20),
		fmt.Sprintf("share one request for %d min", cacheTime/time.Minute),
		fmt.Sprintf("%d at once. |", maxFlights),
		fmt.Sprintf("%d MiB of recent cards", maxCached>>20),
	)
}
