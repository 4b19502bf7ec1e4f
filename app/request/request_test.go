package request

import (
	"errors"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// handle passes a request to a handler and returns the code and the field of the handler's error.
func handle(t *testing.T, target, body string, header map[string]string, handler fiber.Handler) (code protocol.Code, field string) {
	t.Helper()
	app := fiber.New()
	app.Post("/", func(c *fiber.Ctx) error {
		if refused, ok := errors.AsType[*protocol.Error](handler(c)); ok {
			code, field = refused.Code, refused.Field
		}
		return nil
	})
	request := httptest.NewRequest("POST", target, strings.NewReader(body))
	for name, value := range header {
		request.Header.Set(name, value)
	}
	if _, err := app.Test(request); err != nil {
		t.Fatal(err)
	}
	return code, field
}

func TestParseBody(t *testing.T) {
	t.Parallel()
	const json, form, text = "application/json", "application/x-www-form-urlencoded", "text/plain; charset=utf-8"
	for name, test := range map[string]struct {
		contentType, encoding, body string
		fields                      map[string]string
		isForm                      bool
		code                        protocol.Code
		field                       string
	}{
		"JSON":                       {contentType: json, body: `{"text":"hi"}`, fields: map[string]string{"text": "hi"}},
		"JSON with an unknown field": {contentType: json, body: `{"txt":"hi"}`, code: protocol.BadField, field: "txt"},
		"JSON that is an array":      {contentType: json, body: `[]`, code: protocol.BadFrame},
		"a form":                     {contentType: form, body: "text=a+b&key=", fields: map[string]string{"text": "a b"}, isForm: true},
		"a form with other fields":   {contentType: form, body: "text=a&txt=b", code: protocol.BadField, field: "txt"},
		"a form that is not UTF-8":   {contentType: form, body: "text=%ff", code: protocol.BadField, field: "text"},
		"plain text":                 {contentType: text, body: "a=b", fields: map[string]string{"text": "a=b"}},
		"text that is not UTF-8":     {contentType: text, body: "\xff", code: protocol.BadFrame},
		"an unknown type":            {contentType: "text/html", body: "hi", code: protocol.BadField, field: "Content-Type"},
		"no type":                    {body: "hi", code: protocol.BadField, field: "Content-Type"},
		"a compressed body":          {contentType: text, encoding: "gzip", body: "hi", code: protocol.BadField, field: "Content-Encoding"},
	} {
		header := map[string]string{"Content-Type": test.contentType}
		if test.encoding != "" {
			header["Content-Encoding"] = test.encoding
		}
		var got Body
		code, field := handle(t, "/", test.body, header, func(c *fiber.Ctx) (err error) {
			got, err = ParseBody(c, "text", "key")
			return err
		})
		if code != test.code || field != test.field {
			t.Errorf("%s: error %q for field %q, want %q for %q", name, code, field, test.code, test.field)
		}
		if code == "" && (!maps.Equal(got.Fields, test.fields) || got.IsForm != test.isForm) {
			t.Errorf("%s: ParseBody = %+v, want fields %v, a form: %v", name, got, test.fields, test.isForm)
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]struct {
		limit int
		html  bool
		field string // of the error
	}{
		"":                     {limit: 50},
		"?limit=1&html=true":   {limit: 1, html: true},
		"?limit=500":           {limit: 500},
		"?html=false":          {limit: 50},
		"?limit=0":             {field: "limit"},
		"?limit=501":           {field: "limit"},
		"?limit=1.5":           {field: "limit"},
		"?limit=":              {field: "limit"},
		"?html=yes":            {field: "html"},
		"?html=%ff":            {field: "html"},
		"?limt=5":              {field: "limt"},
		"?Limit=5&limit=5":     {field: "Limit"},
		"?limit=5&html=true&x": {field: "x"},
	} {
		var limit int
		var html bool
		code, field := handle(t, "/"+query, "", nil, func(c *fiber.Ctx) (err error) {
			if err = CheckQuery(c, "limit", "html"); err != nil {
				return err
			}
			if limit, err = Int(c, "limit", 50, 1, 500); err != nil {
				return err
			}
			html, err = Bool(c, "html")
			return err
		})
		if field != want.field || (code == protocol.BadField) != (want.field != "") {
			t.Errorf("%q: error %q for field %q, want the field %q", query, code, field, want.field)
		}
		if want.field == "" && (limit != want.limit || html != want.html) {
			t.Errorf("%q: limit %d, html %v; want %d, %v", query, limit, html, want.limit, want.html)
		}
	}
}
