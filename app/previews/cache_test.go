package previews

import (
	"fmt"
	"testing"
	"time"
)

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c cache
	began := time.Now()
	picture := &Image{Data: make([]byte, maxStored)}
	const added = 3 * maxCached / maxStored
	for i := range added {
		c.add(fmt.Sprint(i), page{card: Card{Title: fmt.Sprint(i)}, picture: picture}, began)
		c.add(fmt.Sprint(i), page{}, began) // a second one is ignored
	}
	if size := len(c.pages) * (maxStored + pageOverhead); size > maxCached || size < maxCached/2 || len(c.order) != len(c.pages) || c.size != size {
		t.Errorf("got %d pages, %d of them in order, and a size of %d; want them to match, and to stay within maxCached", len(c.pages), len(c.order), c.size)
	}
	if found, known := c.find(fmt.Sprint(added-1), began.Add(cacheTime-1)); !known || found.card.Title != fmt.Sprint(added-1) {
		t.Error("the newest page is missing")
	}
	if _, known := c.find("0", began); known {
		t.Error("the oldest page was kept")
	}
	if _, known := c.find(fmt.Sprint(added-1), began.Add(cacheTime)); known || c.size != 0 || len(c.pages) != 0 {
		t.Errorf("after cacheTime, %d pages are cached, with a size of %d; want none", len(c.pages), c.size)
	}
}
