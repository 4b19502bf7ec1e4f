package main

import (
	"burble/app/protocol"
	"mime"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// body is what a POST carries, whichever of its forms it came in.
type body struct {
	fields map[string]string
	form   bool // from a page without script: it is answered with a redirect
}

// bodyOf reads a JSON object of strings, a form, or, where there is a field
// text, plain text. Every field must be one of names.
func bodyOf(c *fiber.Ctx, names ...string) (body, error) {
	kind, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return body{}, unsupported("Content-Encoding")
	}
	data := c.BodyRaw() // Body would unpack it
	if !utf8.Valid(data) {
		return body{}, protocol.Errorf(protocol.BadFrame, "", "The body is not UTF-8.")
	}
	switch {
	case kind == fiber.MIMEApplicationJSON:
		return jsonBody(data, names)
	case kind == fiber.MIMEApplicationForm:
		return formBody(c, names)
	case kind == fiber.MIMETextPlain && slices.Contains(names, "text"):
		return body{fields: map[string]string{"text": string(data)}}, nil
	}
	return body{}, unsupported("Content-Type")
}

func unsupported(header string) error {
	return &protocol.Error{
		Code: protocol.BadField, Status: fiber.StatusUnsupportedMediaType, Field: header,
		Message: "This " + header + " is not understood. Send application/json.",
	}
}

func jsonBody(data []byte, names []string) (body, error) {
	raw, ok := protocol.Members(data)
	if !ok {
		return body{}, protocol.Errorf(protocol.BadFrame, "", "The body is one JSON object.")
	}
	read := body{fields: make(map[string]string)}
	for _, name := range protocol.SortedKeys(raw) {
		if !slices.Contains(names, name) {
			return body{}, protocol.Errorf(protocol.BadField, protocol.Clip(name), "There is no field %q here.", protocol.Clip(name))
		}
		text, err := protocol.StringField(name, raw[name])
		if err != nil {
			return body{}, err
		}
		read.fields[name] = text
	}
	return read, nil
}

func formBody(c *fiber.Ctx, names []string) (body, error) {
	read := body{fields: make(map[string]string), form: true}
	var err error
	c.Request().PostArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		switch {
		case len(value) == 0 && slices.Contains(names, name): // left out: forms send empty inputs, too
		case !slices.Contains(names, name):
			err = protocol.Errorf(protocol.BadField, protocol.Clip(name), "There is no field %q here.", protocol.Clip(name))
		case !utf8.Valid(value):
			err = protocol.Errorf(protocol.BadField, name, "%q is not UTF-8.", name)
		default:
			read.fields[name] = string(value)
		}
	})
	return read, err
}

// onlyQueries refuses query parameters that nobody reads, and empty ones: a misspelt or
// forgotten one would silently give another answer.
func onlyQueries(c *fiber.Ctx, names ...string) (err error) {
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

// queryInt reads a whole number within bounds.
func queryInt(c *fiber.Ctx, name string, otherwise, least, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return otherwise, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < least || number > most {
		return 0, protocol.Errorf(protocol.BadField, name, "%q is a whole number from %d to %d.", name, least, most)
	}
	return number, nil
}

// queryBool reads true or false, which is what no parameter means.
func queryBool(c *fiber.Ctx, name string) (bool, error) {
	text := c.Query(name)
	if text == "" {
		return false, nil
	}
	return protocol.BoolField(name, text)
}
