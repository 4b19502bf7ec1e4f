package markup

import "sync"

// cache holds recently rendered messages, because a page shows 50 of them and highlighting code is
// slow.
var cache = renderCache{maxSize: 4 << 20}

// renderCache is a cache of two halves. When the newer half is full, it replaces the older one.
type renderCache struct {
	maxSize int // size of each half in bytes, approximately

	mu           sync.Mutex
	newer, older map[string]string
	size         int // size of newer
}

// render returns the cached HTML for text. If there is none, it calls render and caches the result.
func (c *renderCache) render(text string, render func(string) string) string {
	html, known := c.find(text)
	if known {
		return html
	}
	html = render(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size > c.maxSize || c.newer == nil {
		c.newer, c.older, c.size = make(map[string]string), c.newer, 0
	}
	c.newer[text] = html
	c.size += len(text) + len(html) + 64 // 64: approximate overhead of a map entry
	return html
}

// find returns the cached HTML for text.
func (c *renderCache) find(text string) (html string, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if html, known = c.newer[text]; !known {
		html, known = c.older[text]
	}
	return html, known
}
