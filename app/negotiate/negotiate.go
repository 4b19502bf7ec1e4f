// Package negotiate chooses the form of a response: its media type, its compression, or status 304 if the
// client already has it.
//
//	router.Get("/rooms", negotiate.Response, getRooms)
//
// All functions are safe for concurrent use.
package negotiate

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Responses of fewer than smallBody bytes are not compressed, because they fit into one packet anyway.
const smallBody = 512

// Response is middleware for a handler whose response depends on the user. If the client already has the
// same response, Response replaces it with status 304. Otherwise it compresses the response if the client
// accepts that. It does not change errors.
func Response(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept, fiber.HeaderAcceptEncoding, fiber.HeaderCookie)
	if err := c.Next(); err != nil || c.Response().StatusCode() != http.StatusOK || c.Response().IsBodyStream() {
		return err
	}
	sum := sha256.Sum256(c.Response().Body())
	if IsUnchanged(c, base64.RawURLEncoding.EncodeToString(sum[:12])) {
		return nil
	}
	compress(c)
	return nil
}

// NoStore is middleware that keeps responses out of caches.
func NoStore(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}

// NoReferrer is NoStore for pages whose URLs contain a code. It also keeps the code out of Referer.
//
// The forms of a page with the policy no-referrer send "Origin: null", so only Sec-Fetch-Site shows where they
// come from. Old browsers do not send that header, and no browser sends it over plain HTTP. Such a browser gets
// the policy origin instead: its forms send their origin, and its Referer contains the origin but not the path.
func NoReferrer(c *fiber.Ctx) error {
	policy := "no-referrer"
	if c.Get("Sec-Fetch-Site") == "" && strings.Contains(c.Get(fiber.HeaderUserAgent), "Mozilla/") {
		policy = "origin"
	}
	c.Set(fiber.HeaderReferrerPolicy, policy)
	return NoStore(c)
}

// IsUnchanged sets the ETag of the response to a version of its content. If the client already has that
// version, IsUnchanged makes the response a 304 and returns true. The ETag is weak, because the same
// version has several encodings.
func IsUnchanged(c *fiber.Ctx, version string) bool {
	etag := `W/"` + version + `"`
	c.Set(fiber.HeaderETag, etag)
	if !matches(header(c, fiber.HeaderIfNoneMatch), etag) {
		return false
	}
	c.Status(http.StatusNotModified)
	c.Response().ResetBody()
	return true
}

// matches reports whether an If-None-Match header contains the ETag (RFC 9110, section 13.1.2). Burble's
// ETags contain no comma.
func matches(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

func compress(c *fiber.Ctx) {
	body := c.Response().Body()
	if len(body) < smallBody || len(c.Response().Header.ContentEncoding()) > 0 {
		return
	}
	switch {
	case Accepts(c, "br"): // a third smaller than gzip, at the same cost
		c.Response().SetBodyRaw(fasthttp.AppendBrotliBytesLevel(nil, body, fasthttp.CompressBrotliBestSpeed))
		c.Set(fiber.HeaderContentEncoding, "br")
	case Accepts(c, "gzip"):
		c.Response().SetBodyRaw(fasthttp.AppendGzipBytesLevel(nil, body, fasthttp.CompressBestSpeed))
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
}

// Accepts reports whether the client accepts a content coding (RFC 9110, section 12.5.3). Fiber's
// functions ignore that a quality of 0 refuses a coding.
func Accepts(c *fiber.Ctx, coding string) bool {
	return accepts(header(c, fiber.HeaderAcceptEncoding), coding)
}

func accepts(header, coding string) bool {
	accepted := false
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "x-gzip" {
			name = "gzip" // RFC 9110, section 8.4.1.3
		}
		switch name {
		case coding:
			return quality(parameters) > 0
		case "*":
			accepted = quality(parameters) > 0
		}
	}
	return accepted
}

// quality returns the q parameter of a list element, or 0 if it is malformed.
func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return 0
			}
			return q
		}
	}
	return 1
}

// header returns the value of a list header. It joins repeated fields into one list.
func header(c *fiber.Ctx, name string) string {
	var values []string
	for _, value := range c.Request().Header.PeekAll(name) {
		values = append(values, string(value))
	}
	return strings.Join(values, ",")
}

// PrefersHTML reports whether the client prefers a page in HTML to JSON.
func PrefersHTML(c *fiber.Ctx) bool {
	return PreferredType(c, fiber.MIMEApplicationJSONCharsetUTF8, fiber.MIMETextHTMLCharsetUTF8) == fiber.MIMETextHTMLCharsetUTF8
}

// PreferredType returns the type that the client prefers, or "" if it accepts none. In a tie, it returns
// the first one. Media types are case-insensitive (RFC 9110, section 8.3.1), but Fiber compares bytes, so
// it gets a lower-case copy of the header.
func PreferredType(c *fiber.Ctx, types ...string) string {
	request := new(fasthttp.RequestCtx)
	request.Request.Header.Set(fiber.HeaderAccept, strings.ToLower(c.Get(fiber.HeaderAccept)))
	lower := c.App().AcquireCtx(request)
	defer c.App().ReleaseCtx(lower)
	return lower.Accepts(types...)
}
