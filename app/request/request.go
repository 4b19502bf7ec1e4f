// Package request parses the body and the query of an HTTP request. It refuses fields and parameters that
// a handler does not know: if they were ignored, a mistyped request would get the wrong response.
//
//	body, err := request.ParseBody(c, "text", "reply_to", "key")
//	html, err := request.Bool(c, "html")
//
// All functions are safe for concurrent use. Their errors are of type *protocol.Error.
package request

import (
	"mime"
	"slices"
	"strconv"
	"unicode/utf8"

	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// Body is the parsed body of a POST.
type Body struct {
	Fields map[string]string
	IsForm bool // sent by a page without scripts, which expects a redirect
}

// ParseBody parses a JSON object of strings, a form, or plain text, which becomes the field "text". It
// refuses fields that are not among names.
func ParseBody(c *fiber.Ctx, names ...string) (Body, error) {
	contentType, data, err := ReadBody(c)
	switch {
	case err != nil:
		return Body{}, err
	case contentType == fiber.MIMEApplicationJSON:
		fields, err := protocol.ParseFields(data, names)
		return Body{Fields: fields}, err
	case contentType == fiber.MIMEApplicationForm:
		return parseForm(c, names)
	case contentType == fiber.MIMETextPlain && slices.Contains(names, "text"):
		return Body{Fields: map[string]string{"text": string(data)}}, nil
	}
	return Body{}, Unsupported("Content-Type")
}

// ParseOptionalBody is like ParseBody, but the body may be absent. It also refuses query parameters.
func ParseOptionalBody(c *fiber.Ctx, names ...string) (Body, error) {
	if err := CheckQuery(c); err != nil {
		return Body{}, err
	}
	if len(c.BodyRaw()) == 0 && c.Get(fiber.HeaderContentType) == "" {
		return Body{}, nil
	}
	return ParseBody(c, names...)
}

// ReadBody returns the media type and the body. It refuses a body that is compressed or not UTF-8.
func ReadBody(c *fiber.Ctx) (contentType string, data []byte, err error) {
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return "", nil, Unsupported("Content-Encoding")
	}
	contentType, _, _ = mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	data = c.BodyRaw() // unlike Body, does not decompress
	if !utf8.Valid(data) {
		return "", nil, protocol.Errorf(protocol.BadFrame, "", "The body is not UTF-8.")
	}
	return contentType, data, nil
}

// Unsupported returns the error for a header with a value that the server does not support.
func Unsupported(header string) error {
	return &protocol.Error{
		Code: protocol.BadField, Status: fiber.StatusUnsupportedMediaType, Field: header,
		Message: "This " + header + " is not supported. Send application/json.",
	}
}

func parseForm(c *fiber.Ctx, names []string) (Body, error) {
	parsed := Body{Fields: make(map[string]string), IsForm: true}
	var err error
	c.Request().PostArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		switch {
		case len(value) == 0 && slices.Contains(names, name): // forms send empty inputs, which count as absent
		case !slices.Contains(names, name):
			err = protocol.UnknownField(name)
		case !utf8.Valid(value):
			err = protocol.Errorf(protocol.BadField, name, "%q is not UTF-8.", name)
		default:
			parsed.Fields[name] = string(value)
		}
	})
	return parsed, err
}

// CheckQuery refuses query parameters that are empty or not among names.
func CheckQuery(c *fiber.Ctx, names ...string) (err error) {
	c.Context().QueryArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		if !slices.Contains(names, name) {
			err = protocol.Errorf(protocol.BadField, protocol.Shorten(name), "There is no parameter %q here.", protocol.Shorten(name))
		} else if !utf8.Valid(value) {
			err = protocol.Errorf(protocol.BadField, name, "%q is not UTF-8.", name)
		} else if len(value) == 0 {
			err = protocol.Errorf(protocol.BadField, name, "%q is empty.", name)
		}
	})
	return err
}

// Int returns a query parameter that must be a whole number from min to max, inclusive. It returns fallback
// if the parameter is absent.
func Int(c *fiber.Ctx, name string, fallback, min, max int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return fallback, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < min || number > max {
		return 0, protocol.Errorf(protocol.BadField, name, "%q must be a whole number from %d to %d.", name, min, max)
	}
	return number, nil
}

// Bool returns a query parameter that must be true or false. It returns false if the parameter is absent.
func Bool(c *fiber.Ctx, name string) (bool, error) {
	text := c.Query(name)
	if text == "" {
		return false, nil
	}
	return protocol.BoolField(name, text)
}
