package web

import (
	"mime"
	"slices"
	"strconv"
	"unicode/utf8"

	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// body is the parsed body of a POST.
type body struct {
	fields map[string]string
	isForm bool // sent by a page without scripts, which expects a redirect
}

// parseBody parses a JSON object of strings, a form, or plain text, which becomes the field "text". It
// refuses fields that are not among names.
func parseBody(c *fiber.Ctx, names ...string) (body, error) {
	contentType, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return body{}, unsupported("Content-Encoding")
	}
	data := c.BodyRaw() // unlike Body, does not decompress
	if !utf8.Valid(data) {
		return body{}, protocol.Errorf(protocol.BadFrame, "", "The body is not UTF-8.")
	}
	switch {
	case contentType == fiber.MIMEApplicationJSON:
		fields, err := protocol.ParseFields(data, names)
		return body{fields: fields}, err
	case contentType == fiber.MIMEApplicationForm:
		return parseForm(c, names)
	case contentType == fiber.MIMETextPlain && slices.Contains(names, "text"):
		return body{fields: map[string]string{"text": string(data)}}, nil
	}
	return body{}, unsupported("Content-Type")
}

func unsupported(header string) error {
	return &protocol.Error{
		Code: protocol.BadField, Status: fiber.StatusUnsupportedMediaType, Field: header,
		Message: "This " + header + " is not supported. Send application/json.",
	}
}

func parseForm(c *fiber.Ctx, names []string) (body, error) {
	parsed := body{fields: make(map[string]string), isForm: true}
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
			parsed.fields[name] = string(value)
		}
	})
	return parsed, err
}

// checkQuery refuses query parameters that are empty or not among names. If they were ignored, a
// mistyped request would get the wrong response.
func checkQuery(c *fiber.Ctx, names ...string) (err error) {
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

// queryInt returns a query parameter that must be a whole number from min to max, inclusive. It
// returns fallback if the parameter is absent.
func queryInt(c *fiber.Ctx, name string, fallback, min, max int) (int, error) {
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

// queryBool returns a query parameter that must be true or false. It returns false if the parameter
// is absent.
func queryBool(c *fiber.Ctx, name string) (bool, error) {
	text := c.Query(name)
	if text == "" {
		return false, nil
	}
	return protocol.BoolField(name, text)
}
