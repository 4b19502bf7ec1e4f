package previews

import (
	"sync"
	"time"
)

const (
	// cacheTime is how long a page is reused for other messages in the same room.
	cacheTime = 5 * time.Minute
	// maxCached limits the memory of all cached pages, in bytes.
	maxCached = 8 << 20
	// pageOverhead is the approximate size of a page without its picture, in bytes.
	pageOverhead = 4 << 10
)

// A cache holds the latest pages, for up to cacheTime and up to maxCached bytes. The zero cache is empty.
type cache struct {
	mu    sync.Mutex
	pages map[string]page
	order []cached // oldest first
	size  int
}

type cached struct {
	key   string
	since time.Time
}

func (p page) size() int {
	if p.picture == nil {
		return pageOverhead
	}
	return pageOverhead + len(p.picture.Data)
}

func (c *cache) find(key string, now time.Time) (page, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeOld(now)
	found, known := c.pages[key]
	return found, known
}

func (c *cache) add(key string, new page, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeOld(now)
	if c.pages == nil {
		c.pages = map[string]page{}
	}
	if _, known := c.pages[key]; known {
		return
	}
	c.pages[key] = new
	c.order = append(c.order, cached{key, now})
	for c.size += new.size(); c.size > maxCached; {
		c.removeOldest()
	}
}

func (c *cache) removeOld(now time.Time) {
	for len(c.order) > 0 && now.Sub(c.order[0].since) >= cacheTime {
		c.removeOldest()
	}
}

func (c *cache) removeOldest() {
	oldest := c.order[0]
	c.order = c.order[1:]
	c.size -= c.pages[oldest.key].size()
	delete(c.pages, oldest.key)
}
