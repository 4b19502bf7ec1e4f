package web

import (
	"mime"
	"slices"
	"strconv"
	"unicode/utf8"

	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// body is the parsed body of a POST, in any of the accepted formats.
type body struct {
	fields map[string]string
	isForm bool // from a page without script: the response is a redirect
}

// parseBody parses a JSON object of strings, a form, or, if there is a field "text", plain text.
// Every field must be one of names.
func parseBody(c *fiber.Ctx, names ...string) (body, error) {
	contentType, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return body{}, unsupported("Content-Encoding")
	}
	data := c.BodyRaw() // Body would decompress it
	if !utf8.Valid(data) {
		return body{}, protocol.Errorf(protocol.BadFrame, "", "The body is not UTF-8.")
	}
	switch {
	case contentType == fiber.MIMEApplicationJSON:
		return parseJSON(data, names)
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

func parseJSON(data []byte, names []string) (body, error) {
	raw, ok := protocol.Members(data)
	if !ok {
		return body{}, protocol.Errorf(protocol.BadFrame, "", "The body must be one JSON object.")
	}
	parsed := body{fields: make(map[string]string)}
	for _, name := range protocol.SortedNames(raw) {
		if !slices.Contains(names, name) {
			return body{}, protocol.Errorf(protocol.BadField, protocol.Clip(name), "There is no field %q here.", protocol.Clip(name))
		}
		text, err := protocol.StringField(name, raw[name])
		if err != nil {
			return body{}, err
		}
		parsed.fields[name] = text
	}
	return parsed, nil
}

func parseForm(c *fiber.Ctx, names []string) (body, error) {
	parsed := body{fields: make(map[string]string), isForm: true}
	var err error
	c.Request().PostArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		switch {
		case len(value) == 0 && slices.Contains(names, name): // absent: forms send empty inputs, too
		case !slices.Contains(names, name):
			err = protocol.Errorf(protocol.BadField, protocol.Clip(name), "There is no field %q here.", protocol.Clip(name))
		case !utf8.Valid(value):
			err = protocol.Errorf(protocol.BadField, name, "%q is not UTF-8.", name)
		default:
			parsed.fields[name] = string(value)
		}
	})
	return parsed, err
}

// allowQueries refuses query parameters that are not among names, and empty ones: a misspelt or
// forgotten one would silently give another response.
func allowQueries(c *fiber.Ctx, names ...string) (err error) {
	c.Context().QueryArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		if !slices.Contains(names, name) {
			err = protocol.Errorf(protocol.BadField, protocol.Clip(name), "There is no parameter %q here.", protocol.Clip(name))
		} else if !utf8.Valid(value) {
			err = protocol.Errorf(protocol.BadField, name, "%q is not UTF-8.", name)
		} else if len(value) == 0 {
			err = protocol.Errorf(protocol.BadField, name, "%q is empty.", name)
		}
	})
	return err
}

// queryInt parses a whole number from min to max. Without the parameter it returns absent.
func queryInt(c *fiber.Ctx, name string, absent, min, max int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return absent, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < min || number > max {
		return 0, protocol.Errorf(protocol.BadField, name, "%q must be a whole number from %d to %d.", name, min, max)
	}
	return number, nil
}

// queryBool parses true or false. Without the parameter it returns false.
func queryBool(c *fiber.Ctx, name string) (bool, error) {
	text := c.Query(name)
	if text == "" {
		return false, nil
	}
	return protocol.BoolField(name, text)
}
