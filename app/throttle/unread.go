package throttle

import (
	"bytes"
	"io"
	"time"

	"burble/app/protocol"
)

const (
	// MaxUnread is how many bytes of responses one address may leave unread. A single response may be
	// larger.
	MaxUnread = 16 << 20
	// MaxAllUnread is how many bytes all addresses together may leave unread.
	MaxAllUnread = 64 << 20
	// unreadRetryAfter is how long a client with too many unread responses should wait before it tries
	// again.
	unreadRetryAfter = 15 * time.Second
)

// CountUnread returns a reader of a response's body, which counts against the client's address until the reader
// is closed. Otherwise a client could request large responses and read none of them.
func (l *Limits) CountUnread(address string, body []byte) (io.ReadCloser, error) {
	releaseOwn, ok := l.UnreadBytes.Take(address, len(body))
	if !ok {
		return nil, protocol.TooMany("unread responses", unreadRetryAfter)
	}
	releaseAll, ok := l.allUnreadBytes.Take("", len(body))
	if !ok {
		releaseOwn()
		return nil, protocol.TooMany("unread responses", unreadRetryAfter)
	}
	return &countedBody{bytes.NewReader(body), func() { releaseOwn(); releaseAll() }}, nil
}

type countedBody struct {
	*bytes.Reader
	release func()
}

// Close implements io.Closer. fasthttp calls it after it has written the response, or failed to.
func (b *countedBody) Close() error {
	b.release()
	return nil
}
