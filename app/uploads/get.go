package uploads

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"burble/app/attachments"
	"burble/app/blobs"
	"burble/app/caller"
	"burble/app/httpguard"
	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

const (
	// maxAge is how long a browser may cache a file. After that, the server checks again whether the user may read the room.
	maxAge = blobs.PresignedLifetime
	// redirectMaxAge is shorter, because the browser must follow the redirect while the URL is valid.
	redirectMaxAge = maxAge - time.Minute
)

var errFileNotFound = protocol.Errorf(protocol.NotFound, "", "There is no such file.")

// getFile handles GET /f/{room}/{message}/{n}, which returns a file of a message.
func (h *handlers) getFile(c *fiber.Ctx) error { return h.getVersion(c, attachments.Version{}) }

// getThumbnail handles GET /f/{room}/{message}/{n}/thumbnail.
func (h *handlers) getThumbnail(c *fiber.Ctx) error {
	return h.getVersion(c, attachments.Version{Thumbnail: true})
}

func (h *handlers) getVersion(c *fiber.Ctx, version attachments.Version) error {
	n, err := strconv.ParseUint(c.Params("n"), 10, 8)
	if err != nil || strconv.FormatUint(n, 10) != c.Params("n") {
		return errFileNotFound
	}
	return h.sendFile(c, int(n), version)
}

// getPreview handles GET /f/{room}/{message}/preview, which returns the picture of a message's preview.
func (h *handlers) getPreview(c *fiber.Ctx) error {
	return h.sendFile(c, streams.PreviewPicture, attachments.Version{})
}

// sendFile sends file number n of a message, or redirects to it, if the caller may read the room.
func (h *handlers) sendFile(c *fiber.Ctx, n int, version attachments.Version) error {
	room, err := protocol.CheckRoom(c.Params("room"))
	if err != nil {
		return err
	}
	message, err := protocol.CheckID("id", c.Params("message"))
	if err != nil {
		return errFileNotFound
	}
	if version.Attached, err = parseDownload(c); err != nil {
		return err
	}
	file, err := h.Chat.File(c.UserContext(), caller.Of(c).User, room, message, n)
	if errors.Is(err, streams.ErrNotFound) {
		return errFileNotFound
	}
	if err != nil {
		return err
	}
	download := attachments.Describe(file, version)
	url, err := h.Files.URL(c.UserContext(), download)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'")
	if url != "" {
		c.Set(fiber.HeaderCacheControl, cacheControl(redirectMaxAge))
		return c.Redirect(url, http.StatusFound)
	}
	c.Set(fiber.HeaderCacheControl, cacheControl(maxAge))
	etag := `"` + download.Hash + `"`
	c.Set(fiber.HeaderETag, etag)
	if matches(c.Get(fiber.HeaderIfNoneMatch), etag) {
		return c.SendStatus(http.StatusNotModified)
	}
	object, err := h.Files.Open(c.UserContext(), download)
	if err != nil {
		return err
	}
	return h.sendObject(c, object, download, etag)
}

func cacheControl(age time.Duration) string {
	return "private, max-age=" + strconv.Itoa(int(age.Seconds()))
}

// parseDownload reports whether the query is "download". There are no other parameters.
func parseDownload(c *fiber.Ctx) (isDownload bool, err error) {
	c.Context().QueryArgs().VisitAll(func(key, _ []byte) {
		if string(key) != "download" {
			err = protocol.Errorf(protocol.BadField, protocol.Shorten(string(key)), "There is no parameter %q here.", protocol.Shorten(string(key)))
		}
		isDownload = true
	})
	return isDownload, err
}

// matches reports whether an If-None-Match field names the ETag (RFC 9110, section 13.1.2).
func matches(field, etag string) bool {
	for item := range strings.SplitSeq(field, ",") {
		if item = strings.TrimSpace(item); item == "*" || strings.TrimPrefix(item, "W/") == etag {
			return true
		}
	}
	return false
}

// sendObject sends the object, or the range of it that the client has requested. It closes the object.
func (h *handlers) sendObject(c *fiber.Ctx, object blobs.Object, download attachments.Download, etag string) error {
	size := object.Size()
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderContentType, download.Type)
	c.Set(fiber.HeaderContentDisposition, download.Disposition)
	start, length := int64(0), size
	condition := c.Get(fiber.HeaderIfRange)
	if c.Method() == fiber.MethodGet && (condition == "" || condition == etag) { // RFC 9110, section 14.2
		var status int
		if start, length, status = parseRange(c.Get(fiber.HeaderRange), size); status != http.StatusOK {
			c.Status(status)
			c.Set(fiber.HeaderContentRange, contentRange(start, length, size, status))
		}
	}
	if length == 0 || c.Method() == fiber.MethodHead {
		object.Close()
		c.Response().SkipBody = true
		c.Response().Header.SetContentLength(int(length))
		return nil
	}
	if _, err := object.Seek(start, io.SeekStart); err != nil {
		object.Close()
		return err
	}
	release, ok := h.downloading.Take(caller.Of(c).Address, 1)
	if !ok {
		object.Close()
		return protocol.TooMany("downloads at once", retryAfter)
	}
	c.Context().SetBodyStream(&body{object: object, left: length, conn: c.Context().Conn(), release: release}, int(length))
	return nil
}

// parseRange parses a Range field with one range (RFC 9110, section 14.2). It ignores a field that it does not
// understand. The status is 200, 206 or 416.
func parseRange(field string, size int64) (start, length int64, status int) {
	first, last, found := strings.Cut(strings.TrimPrefix(field, "bytes="), "-")
	if !found || !strings.HasPrefix(field, "bytes=") {
		return 0, size, http.StatusOK
	}
	end := size - 1
	var err error
	switch {
	case first == "": // the last bytes
		var count int64
		if count, err = parsePosition(last); err == nil {
			start = max(0, size-count)
		}
	case last == "":
		start, err = parsePosition(first)
	default:
		var until int64
		start, err = parsePosition(first)
		if err == nil {
			until, err = parsePosition(last)
		}
		if until < start {
			err = strconv.ErrRange
		}
		end = min(end, until)
	}
	switch {
	case err != nil:
		return 0, size, http.StatusOK
	case start >= size:
		return 0, 0, http.StatusRequestedRangeNotSatisfiable
	}
	return start, end - start + 1, http.StatusPartialContent
}

// parsePosition parses a number without a sign.
func parsePosition(text string) (int64, error) {
	number, err := strconv.ParseUint(text, 10, 62)
	return int64(number), err
}

func contentRange(start, length, size int64, status int) string {
	total := "/" + strconv.FormatInt(size, 10)
	if status == http.StatusRequestedRangeNotSatisfiable {
		return "bytes *" + total
	}
	return "bytes " + strconv.FormatInt(start, 10) + "-" + strconv.FormatInt(start+length-1, 10) + total
}

// chunkSize is how many bytes of a download are written at a time. A client may take httpguard.StallTimeout to receive
// a chunk. After httpguard.RateGrace, it must receive httpguard.MinRate bytes per second on average.
const chunkSize = 32 << 10

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// body is the body of a response, which is read from an object while it is written.
type body struct {
	object  blobs.Object
	left    int64
	conn    net.Conn
	release func()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.object.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// WriteTo implements io.WriterTo. It limits the time of each chunk, because a client with a slow link needs longer for
// a large file than the server allows for other responses.
func (b *body) WriteTo(to io.Writer) (written int64, err error) {
	chunk := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(chunk)
	began := time.Now()
	for b.left > 0 {
		n, err := io.ReadFull(struct{ io.Reader }{b}, chunk[:min(chunkSize, b.left)])
		if err != nil {
			return written, err
		}
		b.conn.SetWriteDeadline(httpguard.Deadline(began, written))
		n, err = to.Write(chunk[:n])
		if written += int64(n); err != nil {
			return written, err
		}
	}
	return written, nil
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.release()
	return b.object.Close()
}
